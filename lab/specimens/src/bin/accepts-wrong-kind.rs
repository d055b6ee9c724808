//! It accepts a policy for the other kind of wrapper.

specimens::specimen!(Mail, AcceptsWrongKind);
