//! Damage by somebody with a SQLite shell, who takes the triggers away and puts them back.

use std::path::Path;

use counterfoil::event::Hash;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::dice::Dice;

/// How often something else is tried when SQLite refuses.
const TRIES: usize = 50;

type Way = (&'static str, fn(&Connection, &mut Dice) -> rusqlite::Result<()>);

/// The first more often than the others: there are many columns.
const WAYS: [Way; 12] = [
    ("a value changed", change),
    ("a value changed", change),
    ("a value changed", change),
    ("a value changed", change),
    ("a value changed, and all rows made anew", change_and_rebuild),
    ("a row deleted", delete),
    ("a row copied", copy),
    ("a value copied from another row", exchange),
    ("a stream deleted with all its rows", delete_stream),
    ("the last events deleted", delete_last),
    ("the last event changed, with its hash", forge),
    ("the schema changed", redefine),
];

/// Changes the file at `path`, and says how.
pub(super) fn damage(path: &Path, dice: &mut Dice) -> rusqlite::Result<&'static str> {
    for _ in 0..TRIES {
        let connection = Connection::open(path)?;
        // What was not done stays undone.
        let transaction = connection.unchecked_transaction()?;
        let triggers = triggers(&connection)?;
        for (name, _) in &triggers {
            connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
        }
        let (what, way) = dice.pick(&WAYS);
        if way(&connection, dice).is_err() {
            continue;
        }
        for (_, text) in &triggers {
            connection.execute_batch(text)?;
        }
        transaction.commit()?;
        return Ok(what);
    }
    Ok("nothing changed")
}

fn triggers(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// A table of ours that has rows, its columns, and the values of one of its rows.
struct Row {
    table: String,
    columns: Vec<String>,
    keys: Vec<usize>,
    values: Vec<Value>,
}

impl Row {
    fn any(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<Row> {
        let named =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'counterfoil_*' ORDER BY 1";
        let tables: Vec<String> =
            connection.prepare(named)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Row::of(connection, &tables[dice.below(tables.len())], dice)
    }

    fn of(connection: &Connection, table: &str, dice: &mut Dice) -> rusqlite::Result<Row> {
        let mut columns = Vec::new();
        let mut keys = Vec::new();
        let mut statement = connection.prepare("SELECT name, pk FROM pragma_table_info(?1)")?;
        let mut rows = statement.query([table])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(1)? > 0 {
                keys.push(columns.len());
            }
            columns.push(row.get::<_, String>(0)?);
        }
        let count: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        let count = usize::try_from(count).ok().filter(|count| *count > 0);
        let place = dice.below(count.ok_or(rusqlite::Error::QueryReturnedNoRows)?);
        let one = format!("SELECT * FROM {table} LIMIT 1 OFFSET {place}");
        let width = columns.len();
        let values =
            connection.query_row(&one, [], |row| (0..width).map(|column| row.get(column)).collect())?;
        Ok(Row { table: table.to_owned(), columns, keys, values })
    }

    /// How the row is found.
    fn key(&self) -> String {
        let keys = self.keys.iter().map(|key| format!("{} IS ?{}", self.columns[*key], key + 1));
        keys.collect::<Vec<_>>().join(" AND ")
    }

    fn set(&self, connection: &Connection, column: usize, value: Value) -> rusqlite::Result<()> {
        let (table, name, key) = (&self.table, &self.columns[column], self.key());
        let new = self.values.len() + 1;
        let sql = format!("UPDATE {table} SET {name} = ?{new} WHERE {key}");
        let values = self.values.iter().cloned().chain([value]);
        connection.execute(&sql, params_from_iter(values)).map(drop)
    }
}

fn change(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let row = Row::any(connection, dice)?;
    let column = dice.below(row.columns.len());
    let value = another(&row.values[column], dice);
    row.set(connection, column, value)
}

fn change_and_rebuild(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    change(connection, dice)?;
    connection.execute_batch("UPDATE counterfoil_watermark SET position = 0")
}

/// A value that could stand in the place of this one.
fn another(value: &Value, dice: &mut Dice) -> Value {
    let small = i64::try_from(dice.below(40)).expect("it is small");
    match value {
        Value::Integer(number) => Value::Integer(match dice.below(6) {
            0 => number.wrapping_add(1),
            1 => number.wrapping_sub(1),
            2 => -number,
            3 => number ^ (1 << dice.below(63)),
            4 => i64::MAX,
            _ => small,
        }),
        Value::Null if dice.below(2) == 0 => Value::Integer(small),
        Value::Null => Value::Blob(vec![7]),
        Value::Real(_) => Value::Null,
        Value::Text(text) => Value::Text(match dice.below(4) {
            0 => String::new(),
            1 => text.to_uppercase(),
            2 => format!("{text}x"),
            _ => text.chars().rev().collect(),
        }),
        Value::Blob(bytes) => Value::Blob(another_blob(bytes.clone(), dice)),
    }
}

fn another_blob(mut bytes: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    match dice.below(5) {
        0 => bytes.truncate(dice.below(bytes.len() + 1)),
        1 => bytes.push(dice.byte()),
        2 => bytes.clear(),
        _ if bytes.is_empty() => bytes.push(0),
        _ => {
            let place = dice.below(bytes.len());
            bytes[place] ^= 1 << dice.below(8);
        }
    }
    bytes
}

fn delete(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let row = Row::any(connection, dice)?;
    // Every value that is there is a parameter, so that those of the key have their numbers.
    let all = (1..=row.values.len()).map(|number| format!("?{number} IS ?{number}")).collect::<Vec<_>>();
    let sql = format!("DELETE FROM {} WHERE {} AND {}", row.table, row.key(), all.join(" AND "));
    connection.execute(&sql, params_from_iter(row.values)).map(drop)
}

/// The same once more, under another key.
fn copy(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let mut row = Row::any(connection, dice)?;
    let key = row.keys[dice.below(row.keys.len())];
    row.values[key] = match &row.values[key] {
        Value::Integer(_) => {
            let next = format!("SELECT max({}) + 1 FROM {}", row.columns[key], row.table);
            connection.query_row(&next, [], |row| row.get(0))?
        }
        other => another(other, dice),
    };
    let places = (1..=row.values.len()).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO {} VALUES ({places})", row.table);
    connection.execute(&sql, params_from_iter(row.values)).map(drop)
}

fn exchange(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let row = Row::any(connection, dice)?;
    let other = Row::of(connection, &row.table, dice)?;
    let column = dice.below(row.columns.len());
    row.set(connection, column, other.values[column].clone())
}

/// With its events, its rows and its claims. The entries behind move up, or leave a gap.
fn delete_stream(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let Row { values, .. } = Row::of(connection, "counterfoil_stream", dice)?;
    for table in ["journal", "payment", "account", "listing", "claim", "stream"] {
        let sql = format!("DELETE FROM counterfoil_{table} WHERE stream = ?1");
        connection.execute(&sql, [&values[0]])?;
    }
    if dice.below(2) == 0 {
        let end =
            "UPDATE counterfoil_watermark SET position = (SELECT max(position) FROM counterfoil_journal)";
        connection.execute(end, [])?;
    }
    Ok(())
}

/// And then everything is made of what is left.
fn delete_last(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let count = dice.below(5) + 1;
    let last = format!("SELECT position FROM counterfoil_journal ORDER BY position DESC LIMIT {count}");
    connection.execute(&format!("DELETE FROM counterfoil_journal WHERE position IN ({last})"), [])?;
    connection.execute_batch("UPDATE counterfoil_watermark SET position = 0")
}

/// An event that nothing follows is given other bytes, and the hash of those; then everything is made anew. Nothing
/// in the file tells that it was another one.
fn forge(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let last = "SELECT position, previous, event FROM counterfoil_journal AS entry WHERE NOT EXISTS
        (SELECT 1 FROM counterfoil_journal AS next WHERE next.previous = entry.position)
        ORDER BY (position * ?1) % 97 LIMIT 1";
    let factor = i64::from(dice.byte()) + 1;
    let entry = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
    };
    let (position, previous, mut event) = connection.query_row(last, [factor], entry)?;
    let hash = "SELECT hash FROM counterfoil_journal WHERE position = ?1";
    let before = connection.query_row(hash, [previous], |row| row.get::<_, [u8; 32]>(0)).optional()?;
    let place = dice.below(event.len());
    event[place] ^= 1 << dice.below(8);
    let hash = before.map_or(Hash::ZERO, Hash::new).link(&event);
    let sql = "UPDATE counterfoil_journal SET event = ?2, hash = ?3 WHERE position = ?1";
    connection.execute(sql, (position, event, hash.as_bytes()))?;
    connection.execute_batch("UPDATE counterfoil_watermark SET position = 0")
}

fn redefine(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let changes = [
        "DROP INDEX counterfoil_payment_due",
        "DROP TABLE counterfoil_claim",
        "ALTER TABLE counterfoil_payment ADD COLUMN note TEXT",
        "ALTER TABLE counterfoil_claim RENAME TO counterfoil_claims",
        "CREATE TRIGGER host AFTER INSERT ON counterfoil_journal BEGIN SELECT 1; END",
        "CREATE INDEX counterfoil_listing_currency ON counterfoil_listing (currency)",
        "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('the host''s own')",
        "PRAGMA user_version = 7",
    ];
    match dice.below(changes.len() + 4) {
        place if place < changes.len() => connection.execute_batch(changes[place]),
        _ => exchange_roots(connection, dice),
    }
}

/// Two tables or indexes of ours stand in each other's place.
fn exchange_roots(connection: &Connection, dice: &mut Dice) -> rusqlite::Result<()> {
    let ours = "SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0 AND tbl_name GLOB 'counterfoil_*' ORDER BY 1";
    let mut statement = connection.prepare(ours)?;
    let ours: Vec<(String, i64)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let [one, other] = [(); 2].map(|()| &ours[dice.below(ours.len())]);
    connection.execute_batch("PRAGMA writable_schema = ON")?;
    for (name, root) in [(&one.0, other.1), (&other.0, one.1)] {
        connection.execute("UPDATE sqlite_schema SET rootpage = ?2 WHERE name = ?1", (name, root))?;
    }
    connection.execute_batch("PRAGMA writable_schema = OFF")
}
