//! The table of specimens and their programs say the same.

use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn every_program_is_in_the_table_with_its_own_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table: toml::Table = std::fs::read_to_string(root.join("specimens.toml"))
        .expect("the table is there")
        .parse()
        .expect("the table is TOML");
    let rows = table["specimen"].as_array().expect("specimens are an array of tables");
    let text = |row: &toml::Value, key: &str| row[key].as_str().expect("names and flaws are text").to_owned();
    let listed: BTreeMap<String, String> = rows.iter().map(|row| (text(row, "name"), text(row, "flaw"))).collect();
    assert_eq!(listed.len(), rows.len(), "two rows have one name");

    let mut programs = BTreeMap::new();
    for entry in std::fs::read_dir(root.join("src/bin")).expect("the programs are there") {
        let path = entry.expect("the directory can be read").path();
        let name = path.file_stem().expect("a program has a name").to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).expect("a program can be read");
        let flaw = source.lines().map_while(|line| line.strip_prefix("//! ")).collect::<Vec<_>>().join(" ");
        programs.insert(name, flaw);
    }
    assert_eq!(listed, programs);
}
