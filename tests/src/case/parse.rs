//! Text to rows.
//!
//! A file is a list of rows; a row is its head, `row ID [ALSO …] TITLE`, and the indented lines below it. Each form of a
//! line has a function here; what a line means is told in `tests/cases/README.md`.

use super::tokens::words;
use super::{Action, Error, Expected, How, Kind, Method, Row, Step, What, Word, check, constant};
use crate::ops::{self, Parameter};
use crate::run::Value;

/// The rows of a file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(file: &str, text: &str) -> Result<Vec<Row>, Vec<Error>> {
    let mut parser = Parser { file, rows: Vec::new(), errors: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        if let Err(what) = parser.line(index + 1, line) {
            parser.error(index + 1, what);
        }
    }
    for row in &parser.rows {
        check::row(row, &mut parser.errors);
    }
    check::ids(parser.rows.iter(), &mut parser.errors);
    parser.errors.sort_by_key(|error| error.line);
    if parser.errors.is_empty() { Ok(parser.rows) } else { Err(parser.errors) }
}

struct Parser<'a> {
    file: &'a str,
    rows: Vec<Row>,
    errors: Vec<Error>,
}

impl Parser<'_> {
    fn error(&mut self, line: usize, what: String) {
        self.errors.push(Error { file: self.file.to_owned(), line, what });
    }

    fn line(&mut self, line: usize, text: &str) -> Result<(), String> {
        let mut words = words(text)?;
        if words.is_empty() {
            return Ok(());
        }
        if !text.starts_with(char::is_whitespace) {
            let row = self.head(line, text, &words)?;
            self.rows.push(row);
            return Ok(());
        }
        let row = self.rows.last_mut().ok_or("a step before the first row")?;
        row.text.push(text.to_owned());
        row.lines.push(line);
        while !words.is_empty() {
            let end = words.iter().position(|word| word == ";").unwrap_or(words.len());
            let rest = words.split_off(end);
            step(row, line, &words)?;
            words = rest.into_iter().skip(1).collect();
        }
        Ok(())
    }

    fn head(&self, line: usize, text: &str, words: &[String]) -> Result<Row, String> {
        let [first, id, ..] = words else { return Err("a row is `row ID TITLE`".to_owned()) };
        if first != "row" {
            return Err(format!("`{first}` begins neither a row nor, without a blank before it, a step"));
        }
        let mut title = text[text.find(id.as_str()).unwrap_or(0) + id.len()..].trim();
        let mut also = Vec::new();
        if let Some((ids, rest)) = title.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            also = ids.split_whitespace().map(str::to_owned).collect();
            title = rest.trim();
        }
        if title.is_empty() {
            return Err("a row without a title".to_owned());
        }
        let (id, title, file) = (id.clone(), title.to_owned(), self.file.to_owned());
        Ok(Row {
            id,
            also,
            title,
            file,
            line,
            text: vec![text.to_owned()],
            lines: vec![line],
            explored: false,
            steps: Vec::new(),
        })
    }
}

/// One step of a line.
fn step(row: &mut Row, line: usize, words: &[String]) -> Result<(), String> {
    let Some((first, rest)) = words.split_first() else { return Err("nothing between two `;`".to_owned()) };
    let what = match first.as_str() {
        "sta" | "asta" | "mta" | "na" | "bare" | "implicit" | "client" | "server" => actor(first, rest)?,
        "explore" if rest.is_empty() => {
            row.explored = true;
            return Ok(());
        }
        "gate" => What::Gate(name(rest, "gate")?),
        "open" => What::Open(name(rest, "open")?),
        "log" => What::Log(rest.split(|word| word == "or").map(log_entries).collect()),
        "end" => What::End(rest.first().ok_or("`end ACTOR`")?.clone(), rest.get(1).is_some_and(|word| word == ">")),
        _ if first.contains('.') => What::Inside(method(first)?, action(rest)?),
        _ => return of_actor(row, line, first, rest),
    };
    push(row, line, what);
    Ok(())
}

fn push(row: &mut Row, line: usize, what: What) {
    row.steps.push(Step { number: row.steps.len(), line, what });
}

fn name(rest: &[String], what: &str) -> Result<String, String> {
    match rest {
        [name] => Ok(name.clone()),
        _ => Err(format!("`{what} NAME`")),
    }
}

fn actor(kind: &str, rest: &[String]) -> Result<What, String> {
    let still = match rest {
        [_] => false,
        [_, still] if still == "still" && kind == "sta" => true,
        _ => {
            return Err(format!(
                "`{kind} NAME`, and `still` after it for an STA that dispatches nothing between steps"
            ));
        }
    };
    let kind = match kind {
        "sta" if still => Kind::StillSta,
        "sta" => Kind::Sta,
        "asta" => Kind::ApplicationSta,
        "mta" => Kind::Mta,
        "na" => Kind::Neutral,
        "bare" => Kind::Bare,
        "client" => Kind::Client,
        "server" => Kind::Server,
        _ => Kind::Implicit,
    };
    Ok(What::Actor(kind, rest[0].clone()))
}

/// `-` says that there is nothing. Constants in `object.Method(CONSTANT)` become numbers, as the log has them.
fn log_entries(words: &[String]) -> Vec<String> {
    words.iter().filter(|word| *word != "-").map(|word| log_entry(word)).collect()
}

fn log_entry(word: &str) -> String {
    let number = word.split_once('(').and_then(|(method, rest)| {
        let (argument, place) = rest.split_once(')')?;
        match constant(argument, "")? {
            Value::Num(number) => Some(format!("{method}({number}){place}")),
            Value::Bool(value) => Some(format!("{method}({}){place}", u32::from(value))),
            _ => None,
        }
    });
    number.unwrap_or_else(|| word.to_owned())
}

/// `object.Method` or `object.Method(7)`.
fn method(word: &str) -> Result<Method, String> {
    let (object, method) = word.split_once('.').ok_or("`object.Method`")?;
    let (name, argument) = match method.strip_suffix(')').and_then(|method| method.split_once('(')) {
        None => (method, None),
        Some((name, argument)) => match constant(argument, "") {
            Some(Value::Num(number)) => (name, Some(number)),
            Some(Value::Bool(value)) => (name, Some(value.into())),
            _ => return Err(format!("`{argument}` is not a number")),
        },
    };
    Ok(Method { object: object.to_owned(), name: name.to_owned(), argument })
}

/// `actor operation …`, with `>`, `&` or `<` between them.
fn of_actor(row: &mut Row, line: usize, who: &str, rest: &[String]) -> Result<(), String> {
    let (how, rest) = match rest.first().map(String::as_str) {
        None => return Err("an actor without an operation".to_owned()),
        Some("<") => {
            let begun = row.steps.iter().rev().find_map(|step| match &step.what {
                What::Do(actor, _, action) if actor == who => Some(action.operation.results()),
                _ => None,
            });
            let expected = expected(&rest[1..], begun.as_deref())?;
            push(row, line, What::Finish(who.to_owned(), expected));
            return Ok(());
        }
        Some(">") => (How::Blocks, &rest[1..]),
        Some("&") => (How::Races, &rest[1..]),
        Some(_) => (How::Whole, rest),
    };
    if rest.first().is_some_and(|word| word == "import") {
        return import(row, line, who, how, &rest[1..]);
    }
    push(row, line, What::Do(who.to_owned(), how, action(rest)?));
    Ok(())
}

/// `c import o [INTERFACE] = p`: the owner of `o` writes a packet, `c` reads it.
fn import(row: &mut Row, line: usize, who: &str, how: How, rest: &[String]) -> Result<(), String> {
    let object = rest.first().ok_or("`import OBJECT = NAME`")?;
    let by = |step: &Step| match &step.what {
        What::Do(owner, _, action) if action.expected.names.contains(object) => Some(owner.clone()),
        _ => None,
    };
    let owner = row.steps.iter().find_map(by).ok_or_else(|| format!("nobody has made `{object}`"))?;
    let has_interface = rest.get(1).is_some_and(|word| !matches!(word.as_str(), "->" | "="));
    let interface = if has_interface { rest[1].clone() } else { "ISample".to_owned() };
    let stream = format!("{object}@{line}");
    let write = ["CoMarshalInterThreadInterfaceInStream", &interface, object, "=", &stream].map(str::to_owned);
    let mut read = ["CoGetInterfaceAndReleaseStream", &stream, &interface].map(str::to_owned).to_vec();
    read.extend_from_slice(&rest[1 + usize::from(has_interface)..]);
    push(row, line, What::Do(owner, How::Whole, action(&write)?));
    push(row, line, What::Do(who.to_owned(), how, action(&read)?));
    Ok(())
}

/// `operation arguments -> results = names took ms`.
fn action(words: &[String]) -> Result<Action, String> {
    let (first, rest) = words.split_first().ok_or("no operation")?;
    let operation = ops::find(first).ok_or_else(|| format!("there is no operation `{first}`; see --operations"))?;
    let is_end = |word: &String| matches!(word.as_str(), "->" | "=" | "took");
    let end = rest.iter().position(is_end).unwrap_or(rest.len());
    let (given, after) = rest.split_at(end);
    let parameters = operation.parameters();
    let arguments = values(given, &parameters)?;
    let needed = parameters.iter().filter(|parameter| !parameter.optional).count();
    if arguments.len() < needed || arguments.len() > parameters.len() {
        let usage = operation.usage();
        return Err(format!("{} arguments for `{usage}`", arguments.len()));
    }
    let expected = expected(after, Some(&operation.results()))?;
    Ok(Action { operation, arguments, expected })
}

fn expected(words: &[String], results: Option<&[Parameter]>) -> Result<Expected, String> {
    let mut expected = Expected::default();
    let mut rest = words;
    while let Some((first, after)) = rest.split_first() {
        let end = after.iter().position(|word| matches!(word.as_str(), "->" | "=" | "took")).unwrap_or(after.len());
        let (part, next) = after.split_at(end);
        match first.as_str() {
            "->" => {
                for way in part.split(|word| word == "or") {
                    let way = values(way, results.unwrap_or(&[]))?;
                    if way.is_empty() {
                        return Err("nothing is expected".to_owned());
                    }
                    expected.ways.push(way);
                }
            }
            "=" if !part.is_empty() => expected.names = part.to_vec(),
            "took" if part.len() == 1 => {
                expected.took_ms = Some(part[0].parse().map_err(|_| "`took MILLISECONDS`".to_owned())?);
            }
            _ => return Err(format!("`{first}` makes no sense here")),
        }
        rest = next;
    }
    let exact = |way: &Vec<Word>| way.iter().filter(|word| word.is_exact()).count();
    let longest = expected.ways.iter().map(Vec::len).max().unwrap_or(0);
    let given = longest.max(expected.ways.iter().map(exact).max().unwrap_or(0) + expected.names.len());
    if let Some(results) = results
        && given > results.len()
    {
        return Err(format!("{given} results are looked at, and there are {}", results.len()));
    }
    Ok(expected)
}

/// Words as values; a parameter's prefix may be left out of a constant.
fn values(words: &[String], parameters: &[Parameter]) -> Result<Vec<Word>, String> {
    let mut stack: Vec<Vec<Word>> = vec![Vec::new()];
    for word in words {
        match word.as_str() {
            "[" => stack.push(Vec::new()),
            "]" if stack.len() > 1 => {
                let list = Word::List(stack.pop().unwrap_or_default());
                stack.last_mut().ok_or("`]` without `[`")?.push(list);
            }
            "]" => return Err("`]` without `[`".to_owned()),
            _ => {
                let prefix = parameters.get(stack[0].len()).map_or("", |parameter| parameter.prefix);
                let value = value(word, prefix);
                stack.last_mut().ok_or("`]` without `[`")?.push(value);
            }
        }
    }
    if stack.len() > 1 {
        return Err("`[` without `]`".to_owned());
    }
    Ok(stack.remove(0))
}

fn value(word: &str, prefix: &str) -> Word {
    let text = word.strip_prefix('"');
    if let Some(text) = text.or_else(|| (prefix == ops::TEXT).then_some(word)) {
        return Word::Constant(Value::Text(text.to_owned()));
    }
    if let Some(other) = word.strip_prefix('!').filter(|other| !other.is_empty()) {
        return Word::Not(Box::new(value(other, prefix)));
    }
    match constant(word, prefix) {
        _ if word == "_" => Word::Any,
        Some(value) => Word::Constant(value),
        None => Word::Named(word.to_owned()),
    }
}
