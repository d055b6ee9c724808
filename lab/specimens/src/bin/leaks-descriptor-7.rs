//! It leaves descriptor 7 open for the script.

specimens::specimen!(Mail, LeaksDescriptor7);
