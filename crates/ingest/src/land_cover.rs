//! Land cover classes: the seventeen of the International Geosphere–Biosphere Programme and COSORE's further words.

/// A class as packs name it (as COSORE does), its abbreviation, and other ways to write it.
const CLASSES: [(&str, &str, &[&str]); 21] = [
    (
        "Evergreen needleleaf forest",
        "ENF",
        &["Evergreen needleleaf forests"],
    ),
    (
        "Evergreen broadleaf forest",
        "EBF",
        &["Evergreen broadleaf forests"],
    ),
    (
        "Deciduous needleleaf forest",
        "DNF",
        &["Deciduous needleleaf forests"],
    ),
    (
        "Deciduous broadleaf forest",
        "DBF",
        &["Deciduous broadleaf forests"],
    ),
    ("Mixed forests", "MF", &["Mixed forest"]),
    ("Closed shrubland", "CSH", &["Closed shrublands"]),
    ("Open shrubland", "OSH", &["Open shrublands"]),
    ("Woody savanna", "WSA", &["Woody savannas"]),
    ("Savannas", "SAV", &["Savanna"]),
    ("Grassland", "GRA", &["Grasslands"]),
    (
        "Wetland",
        "WET",
        &["Wetlands", "Permanent wetland", "Permanent wetlands"],
    ),
    ("Cropland", "CRO", &["Croplands"]),
    (
        "Urban and built-up",
        "URB",
        &["Urban and built-up lands", "Urban"],
    ),
    (
        "Cropland/natural vegetation mosaic",
        "CVM",
        &["Cropland/natural vegetation mosaics"],
    ),
    ("Snow and ice", "SNO", &["Permanent snow and ice"]),
    (
        "Barren or sparsely vegetated",
        "BSV",
        &["Barren", "BAR", "Barren sparse vegetation"],
    ),
    ("Water", "WAT", &["Water bodies", "Water body"]),
    ("Broadleaf evergreen forest", "", &[]),
    ("Deciduous broadleaf plantation", "", &[]),
    ("Desert woodland", "", &[]),
    ("Evergreen needleleaf plantation", "", &[]),
];

/// The class that a text names, by any of its names, in letters of any size.
pub fn class(text: &str) -> Option<&'static str> {
    let wanted = plain(text);
    let names = |name: &str, short: &str, others: &[&str]| {
        let mut all = [name, short].into_iter().chain(others.iter().copied());
        !wanted.is_empty() && all.any(|name| plain(name) == wanted)
    };
    let found = CLASSES
        .iter()
        .find(|(name, short, others)| names(name, short, others));
    found.map(|(name, ..)| *name)
}

/// What is wrong with a text that names no class, and what is meant probably.
pub fn misspelt(text: &str) -> String {
    let wanted = &plain(text);
    let names = CLASSES.iter().flat_map(|(name, short, others)| {
        let all = [*name, *short].into_iter().chain(others.iter().copied());
        all.filter(|other| !other.is_empty())
            .map(move |other| (edits(wanted, &plain(other)), *name))
    });
    let nearest = names.min_by_key(|(edits, _)| *edits);
    match nearest {
        Some((edits, name)) if edits <= 1 + wanted.len() / 4 => {
            format!("`{text}` is no class of IGBP, the nearest is `{name}`")
        }
        _ => {
            let all: Vec<&str> = CLASSES.iter().map(|(name, ..)| *name).collect();
            format!(
                "`{text}` is no class of IGBP: expected one of {}",
                all.join(", ")
            )
        }
    }
}

/// Letters alone, small.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Characters to insert, remove or replace to make one text of another (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_and_abbreviations_are_one_class() {
        for text in [
            "Evergreen needleleaf forest",
            "ENF",
            "enf",
            "Evergreen Needleleaf Forests",
            " evergreen  needleleaf-forest",
        ] {
            assert_eq!(class(text), Some("Evergreen needleleaf forest"), "{text}");
        }
        for (name, ..) in CLASSES {
            assert_eq!(class(name), Some(name));
        }
        assert_eq!(class("Permanent wetlands"), class("WET"));
        assert_eq!(class(""), None);
    }

    #[test]
    fn the_nearest_class_is_named() {
        for (text, nearest) in [
            ("Evergreen needleaf forest", "`Evergreen needleleaf forest`"),
            ("Decidous broadleaf forest", "`Deciduous broadleaf forest`"),
            ("Graslands", "`Grassland`"),
            ("Mixed forrest", "`Mixed forests`"),
            ("DBFF", "`Deciduous broadleaf forest`"),
        ] {
            assert_eq!(class(text), None);
            assert!(misspelt(text).ends_with(nearest), "{}", misspelt(text));
        }
        assert!(misspelt("Tundra").contains("expected one of"));
    }
}
