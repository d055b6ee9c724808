//! It does not notice that the set-group-ID bit did not act, and goes on with its caller's group.

specimens::specimen!(Mail, IgnoresLostBit);
