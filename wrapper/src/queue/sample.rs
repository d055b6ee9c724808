//! What the unit tests of the queue writer submit.

use super::address;
use super::envelope::{Envelope, Facts};
use super::head::Field;
use std::time::Duration;

pub(super) const FACTS_UID: u32 = 1000;

/// The submission whose id sendmail would have made 6AKIvJYT000081.
pub(super) fn facts() -> Facts {
    Facts {
        uid: FACTS_UID,
        user: Some("alice".to_owned()),
        host: Some("lab.example.org".to_owned()),
        moment: Duration::new(1_795_201_039, 0),
        pid: 81,
    }
}

/// A message to Bob.
pub(super) fn envelope() -> Envelope {
    Envelope {
        sender: address::sender(b"alice").expect("sound"),
        recipients: address::list(b"bob@example.org").expect("sound"),
        body: None,
        notify: None,
        returned: None,
        envelope_id: None,
        fields: vec![Field { name: b"Subject".to_vec(), lines: vec![b"hello".to_vec(), b"\tthere".to_vec()] }],
    }
}
