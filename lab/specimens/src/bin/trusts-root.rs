//! It starts the script for root, which can take any group back.

specimens::specimen!(Mail, TrustsRoot);
