//! It admits its own group beside the trusted one.

specimens::specimen!(Mail, AdmitsOwnGroup);
