//! The comparison in words.

use super::divergent;
use crate::record::divergence::{Divergences, Divergent};
use std::collections::BTreeMap;

#[test]
fn what_two_backends_observed_is_said_side_by_side() {
    let field = ("witness[0].umask".to_owned(), "18".to_owned(), "63".to_owned());
    let found = Divergences {
        cases: vec![Divergent { id: "script/end/a".to_owned(), fields: vec![field] }],
        same: 7,
        declared: BTreeMap::from([("overlay".to_owned(), 3), ("user-namespace".to_owned(), 13)]),
        neither: 1,
    };
    insta::assert_snapshot!(divergent(&found, ["docker", "namespace"]));
    let alike = Divergences { same: 7, ..Divergences::default() };
    assert_eq!(divergent(&alike, ["old", "new"]), "0 diverge   7 the same, verdict and evidence\n");
}
