//! Every way in which a section can be wrong, and that no other is right.
