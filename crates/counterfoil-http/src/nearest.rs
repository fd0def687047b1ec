//! The known name that a misspelt one may have meant.

/// At most so many characters of a misspelt name are wrong, missing or too many.
const MOST_WRONG: usize = 2;

/// The one of `known` that is spelt most like `given`, if it is near enough to be meant. Upper case and underscores do not
/// count, so that `gatewayPaymentId` is found.
pub(crate) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let given = plain(given);
    let distance = |name: &&str| distance(&given, &plain(name));
    let near = known.iter().copied().min_by_key(distance)?;
    (distance(&near) <= MOST_WRONG).then_some(near)
}

fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}

/// How many letters must be changed, added or taken away to make `one` of `other` (the Levenshtein distance).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.iter().enumerate() {
        let mut next = vec![place + 1];
        for (known, (changed, added)) in other.iter().zip(row.iter().zip(row.iter().skip(1))) {
            let removed = next.last().map_or(0, |last| last + 1);
            next.push(removed.min(added + 1).min(changed + usize::from(letter != known)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_are_found_and_others_are_not() {
        let known = ["amount", "currency", "gateway_operation_id", "gateway_payment_id", "final"];
        for (given, near) in [
            ("ammount", Some("amount")),
            ("amuont", Some("amount")),
            ("Amount", Some("amount")),
            ("gatewayOperationId", Some("gateway_operation_id")),
            ("gateway_payment", Some("gateway_payment_id")),
            ("is_final", Some("final")),
            ("gateway_refund_id", None),
            ("amount_refunded", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, &known), near, "{given}");
        }
        assert_eq!(nearest("amount", &[]), None);
    }
}
