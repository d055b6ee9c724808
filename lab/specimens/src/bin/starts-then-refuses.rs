//! It starts the script in a child first, and checks its caller afterwards.

specimens::specimen!(Mail, StartsThenRefuses);
