//! What the source says of fields and variants: their comments.

/// The source of every section of a job file.
const SOURCE: &str = concat!(
    include_str!("../file.rs"),
    include_str!("../ensemble.rs"),
    include_str!("../inputs.rs"),
    include_str!("../params.rs"),
    include_str!("../search.rs"),
    include_str!("../split.rs"),
    include_str!("../stop.rs"),
    include_str!("../training.rs"),
    include_str!("../training/keys.rs"),
    include_str!("../value.rs"),
    include_str!("../grid/read.rs"),
);

/// The fields of a type, or its variants, each with its comment; empty if there is no such type.
pub(super) fn of_type(name: &str) -> Vec<(String, String)> {
    let begins = ["struct", "enum"].map(|kind| format!("{kind} {name} {{"));
    let mut lines = SOURCE.lines();
    lines.find(|line| begins.iter().any(|begin| line.ends_with(begin)));
    let mut found = Vec::new();
    let mut comment = Vec::new();
    for line in lines.take_while(|line| *line != "}") {
        let Some(line) = line.strip_prefix("    ") else {
            continue;
        };
        if let Some(text) = line.strip_prefix("///") {
            comment.push(text.trim());
        } else if line.starts_with(char::is_alphabetic) {
            let declared = line.strip_prefix("pub ").unwrap_or(line);
            let ends = |letter: char| !letter.is_alphanumeric() && letter != '_';
            let name = declared.split(ends).next().unwrap_or_default();
            found.push((name.to_owned(), comment.join(" ")));
            comment.clear();
        }
    }
    found
}

/// The comment of a type.
pub(super) fn about(name: &str) -> String {
    above(&format!("struct {name} {{"))
}

/// The comment of a text constant with this value.
pub(super) fn of_text(value: &str) -> String {
    above(&format!(": &str = \"{value}\";"))
}

/// The comment above the line that ends so.
fn above(end: &str) -> String {
    let lines: Vec<&str> = SOURCE.lines().collect();
    let Some(place) = lines.iter().position(|line| line.ends_with(end)) else {
        return String::new();
    };
    let before = lines[..place].iter().rev();
    let attributes = before.skip_while(|line| line.starts_with("#["));
    let comment = attributes.map_while(|line| line.strip_prefix("///"));
    let mut comment: Vec<&str> = comment.map(str::trim).collect();
    comment.reverse();
    comment.join(" ")
}
