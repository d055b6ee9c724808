//! It writes its refusal to a pipe that nobody reads, for as long as it takes.

specimens::specimen!(Mail, BlocksOnFullPipe);
