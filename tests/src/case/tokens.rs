//! A line as words: separated by blanks, `[` and `]` on their own, `"text"` as one word, `#` ends the line.

/// The words of a line. A word that begins with `"` is a text and has no closing mark.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => break,
            '[' | ']' | ';' => 1,
            '"' => match rest[1..].find('"') {
                Some(end) => end + 2,
                None => return Err("a text without its end".to_owned()),
            },
            _ => rest.find(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | ';')).unwrap_or(rest.len()),
        };
        let word = &rest[..length];
        words.push(if first == '"' { word[..length - 1].to_owned() } else { word.to_owned() });
        rest = rest[length..].trim_start();
    }
    Ok(words)
}
