//! Customers: people that do not exist, and come back.
//!
//! Invariants: a customer is a function of the seed and a number. The same person has the same name, address and
//! e-mail in every order, and none of them is remembered.

use crate::dice::Dice;
use crate::places::Address;
use crate::weighted::WeightedChoice;

/// How unevenly customers buy: the keenest of two thousand some forty times as much as the one in the middle.
const STEEP: f64 = 0.6;

const FIRST: &[&str] = &[
    "Ada", "Amira", "Anders", "Anouk", "Beatriz", "Bruno", "Carmen", "Chidi", "Clara", "Dara", "Dmitri",
    "Edith", "Elif", "Emil", "Esther", "Farid", "Felix", "Freya", "Gianni", "Grace", "Hana", "Henrik",
    "Imani", "Ines", "Isaac", "Ivo", "Jada", "Joaquin", "Jonas", "Kavya", "Kenji", "Laila", "Leon", "Lin",
    "Lucia", "Mabel", "Marek", "Maya", "Mei", "Miles", "Nadia", "Naomi", "Noor", "Olga", "Omar", "Otis",
    "Paloma", "Pavel", "Petra", "Quentin", "Rafael", "Rosa", "Ruth", "Samir", "Selma", "Sven", "Tariq",
    "Tessa", "Tomas", "Uma", "Viktor", "Wanda", "Yara", "Zoe",
];
const LAST: &[&str] = &[
    "Abernathy",
    "Adeyemi",
    "Almeida",
    "Ashworth",
    "Baptiste",
    "Bergström",
    "Castellano",
    "Chaudhry",
    "Cho",
    "Delacroix",
    "Dvorak",
    "Eriksen",
    "Falk",
    "Ferreira",
    "Finch",
    "Galloway",
    "Gupta",
    "Halloran",
    "Hartmann",
    "Hayashi",
    "Iversen",
    "Jansen",
    "Kaplan",
    "Kovacs",
    "Larkin",
    "Lindqvist",
    "Lombardi",
    "MacKay",
    "Marchetti",
    "Mbeki",
    "Mendoza",
    "Moreau",
    "Nakamura",
    "Novak",
    "O'Brien",
    "Okafor",
    "Olsen",
    "Osei",
    "Pemberton",
    "Petrov",
    "Quiroga",
    "Ramaswamy",
    "Reyes",
    "Rinaldi",
    "Rosen",
    "Sandoval",
    "Schreiber",
    "Silva",
    "Sorensen",
    "Tanaka",
    "Thackeray",
    "Torres",
    "Underhill",
    "Vasquez",
    "Verhoeven",
    "Wexler",
    "Whitlock",
    "Yilmaz",
    "Zhang",
    "Zielinski",
];
/// Domains that are kept for examples (RFC 2606).
const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];
/// How many of all let themselves be written to.
const OPTED_IN: f64 = 0.45;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Customer {
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    pub(crate) email: String,
    pub(crate) address: Address,
    pub(crate) sms_opt_in: bool,
}

/// All of them, without one of them in memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customers {
    seed: u64,
    count: u32,
    regions: u32,
    by_rank: WeightedChoice,
}

impl Customers {
    /// `count` customers, in turn of the first of `regions` regions, of the second …; both are positive.
    pub(crate) fn new(seed: u64, count: u32, regions: u32) -> Self {
        let ranks = count.div_ceil(regions);
        Self { seed, count, regions, by_rank: WeightedChoice::zipf(ranks as usize, STEEP, 0.0) }
    }

    /// Someone of `region`; the keen more often.
    pub(crate) fn draw(&self, region: usize, dice: &mut Dice) -> Customer {
        let rank = u32::try_from(self.by_rank.draw(dice)).expect("no more ranks than customers");
        let region = u32::try_from(region).expect("no more regions than customers");
        // Where the last rank is not full, the customer that would be missing is the first of the region, or the very first.
        let number =
            [rank * self.regions + region, region, 0].into_iter().find(|number| *number < self.count);
        self.customer(number.unwrap_or(0))
    }

    /// The customer of this number.
    fn customer(&self, number: u32) -> Customer {
        let mut dice = Dice::new(self.seed, 1_000 + u64::from(number));
        let (first_name, last_name) = (*dice.one_of(FIRST), *dice.one_of(LAST));
        let domain = dice.one_of(&DOMAINS);
        let sms_opt_in = dice.chance(OPTED_IN);
        let address = Address::draw((number % self.regions) as usize, &mut dice);
        Customer {
            first_name,
            last_name,
            email: email(first_name, last_name, number, domain),
            address,
            sms_opt_in,
        }
    }
}

/// No two customers share a number, so none share an address.
fn email(first: &str, last: &str, number: u32, domain: &str) -> String {
    let plain = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    format!("{}.{}{number}@{domain}", plain(first), plain(last))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_same_person_is_the_same_in_every_order() {
        let (customers, mut dice) = (Customers::new(7, 50, 2), Dice::new(1, 1));
        let mut known: BTreeMap<String, Customer> = BTreeMap::new();
        for draw in 0..2_000 {
            let customer = customers.draw(draw % 2, &mut dice);
            let first = known.entry(customer.email.clone()).or_insert_with(|| customer.clone());
            assert_eq!(*first, customer);
        }
        assert_eq!(known.len(), 50, "everybody came");
    }

    #[test]
    fn there_are_never_more_than_were_asked_for() {
        for (count, regions) in [(1, 2), (3, 2), (5, 4), (1, 1)] {
            let (customers, mut dice) = (Customers::new(7, count, regions), Dice::new(1, 1));
            let draw = |draw: u32| customers.draw((draw % regions) as usize, &mut dice).email;
            let emails: std::collections::BTreeSet<String> = (0..200).map(draw).collect();
            assert!(emails.len() <= count as usize, "{count} customers: {emails:?}");
        }
    }
}
