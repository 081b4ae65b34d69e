//! Orders of a shop, in the shape that Contoso's website sends.
//!
//! Invariants: the recipe, the start and the times decide every order; the total is the exact sum of its lines.

use std::sync::Arc;

use factum_types::Timestamp;
use serde::Serialize;

use crate::catalogue::{Catalogue, Product};
use crate::customers::{Customer, Customers};
use crate::dice::Dice;
use crate::money::Cents;
use crate::rhythm::Rhythm;
use crate::weighted::WeightedChoice;

/// How often an order has one line, two lines …
const LINES: [f64; 5] = [45.0, 27.0, 15.0, 8.0, 5.0];
/// How often one copy is bought, two copies …
const COPIES: [f64; 3] = [88.0, 9.0, 3.0];
/// A film that is in the order already is drawn again this often; then one more copy of it is bought.
const REDRAWS: u32 = 4;
const MAX_CUSTOMERS: u32 = 1_000_000;
const MAX_REGIONS: usize = 16;

/// What orders are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// What can be bought.
    pub catalogue: Arc<Catalogue>,
    /// The same seed gives the same customers and the same draws.
    pub seed: u64,
    /// How many customers there are, 1 to a million.
    pub customers: u32,
    /// Where they live, 1 to 16 regions; the first is the largest.
    pub regions: Vec<String>,
}

/// Why nothing can be made by a recipe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// No one would buy, or too many.
    #[error("{count} customers lie outside 1 to {MAX_CUSTOMERS}")]
    Customers {
        /// As given.
        count: u32,
    },
    /// No one would live anywhere.
    #[error("{count} regions lie outside 1 to {MAX_REGIONS}")]
    Regions {
        /// As given.
        count: usize,
    },
}

impl Recipe {
    /// Whether anything can be made by it.
    ///
    /// # Errors
    /// [`RecipeError`].
    pub fn check(&self) -> Result<(), RecipeError> {
        if !(1..=MAX_CUSTOMERS).contains(&self.customers) {
            return Err(RecipeError::Customers { count: self.customers });
        }
        match self.regions.len() {
            1..=MAX_REGIONS => Ok(()),
            count => Err(RecipeError::Regions { count }),
        }
    }

    /// When orders come, and from where.
    pub fn rhythm(&self) -> Rhythm {
        Rhythm::of(self.regions.len())
    }
}

/// An order as it is sent. Fields are in the order of the contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the contract's own fields, which say what they are")]
pub struct Order {
    pub region: Arc<str>,
    /// RFC 3339, UTC, milliseconds.
    pub order_date: String,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub address: String,
    pub city: &'static str,
    pub state: &'static str,
    pub postal_code: String,
    pub country: &'static str,
    pub phone: String,
    #[serde(rename = "SMSOptIn")]
    pub sms_opt_in: bool,
    #[serde(rename = "SMSStatus")]
    pub sms_status: &'static str,
    pub email: String,
    pub receipt_url: &'static str,
    pub total: Cents,
    pub payment_transaction_id: String,
    pub has_been_shipped: bool,
    pub details: Vec<Line>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the contract's own fields, which say what they are")]
pub struct Line {
    pub email: String,
    pub product_id: i64,
    pub quantity: u32,
    pub unit_price: Cents,
}

impl Order {
    /// The order as one line of JSON, without a line break.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(640);
        serde_json::to_writer(&mut json, self).expect("text keys, and memory that grows");
        json
    }
}

/// Makes orders, one after the other.
#[derive(Debug, Clone)]
pub struct Orders {
    catalogue: Arc<Catalogue>,
    customers: Customers,
    rhythm: Rhythm,
    regions: Vec<Arc<str>>,
    lines: WeightedChoice,
    copies: WeightedChoice,
    dice: Dice,
}

impl Orders {
    /// Orders by `recipe` from `start` on. Another start gives other orders of the same customers.
    ///
    /// # Errors
    /// [`RecipeError`].
    pub fn new(recipe: &Recipe, start: Timestamp) -> Result<Self, RecipeError> {
        recipe.check()?;
        let regions = u32::try_from(recipe.regions.len()).expect("checked: a handful");
        Ok(Self {
            catalogue: Arc::clone(&recipe.catalogue),
            customers: Customers::new(recipe.seed, recipe.customers, regions),
            rhythm: recipe.rhythm(),
            regions: recipe.regions.iter().map(|region| Arc::from(region.as_str())).collect(),
            lines: WeightedChoice::new(&LINES),
            copies: WeightedChoice::new(&COPIES),
            dice: Dice::new(recipe.seed, start.as_millis().cast_unsigned()),
        })
    }

    /// An order that is placed at `at`.
    pub fn next(&mut self, at: Timestamp) -> Order {
        let region = self.rhythm.region(at, self.dice.unit());
        let customer = self.customers.draw(region, &mut self.dice);
        let details = self.details(&customer);
        let Customer { first_name, last_name, email, address, sms_opt_in } = customer;
        Order {
            region: Arc::clone(&self.regions[region]),
            order_date: at.to_string(),
            first_name,
            last_name,
            address: address.street,
            city: address.city,
            state: address.state,
            postal_code: address.postal_code,
            country: address.country,
            phone: address.phone,
            sms_opt_in,
            sms_status: "",
            email,
            receipt_url: "",
            total: details.iter().map(|line| line.unit_price * line.quantity).sum(),
            payment_transaction_id: self.transaction(),
            has_been_shipped: false,
            details,
        }
    }

    fn details(&mut self, customer: &Customer) -> Vec<Line> {
        let count = 1 + self.lines.draw(&mut self.dice);
        let mut lines: Vec<Line> = Vec::with_capacity(count);
        for _ in 0..count {
            let product = self.another(&lines);
            let quantity = 1 + u32::try_from(self.copies.draw(&mut self.dice)).expect("a handful");
            match lines.iter_mut().find(|line| line.product_id == product.id) {
                Some(line) => line.quantity += quantity,
                None => lines.push(Line {
                    email: customer.email.clone(),
                    product_id: product.id,
                    quantity,
                    unit_price: product.price,
                }),
            }
        }
        lines
    }

    /// A film that is not in the order yet, unless the dice insist.
    fn another(&mut self, lines: &[Line]) -> Product {
        let mut product = self.catalogue.draw(&mut self.dice);
        for _ in 0..REDRAWS {
            if lines.iter().all(|line| line.product_id != product.id) {
                break;
            }
            product = self.catalogue.draw(&mut self.dice);
        }
        product
    }

    /// Three letters and seven digits.
    fn transaction(&mut self) -> String {
        let letters: String = (0..3).map(|_| char::from(b'A' + self.dice.below(26) as u8)).collect();
        format!("{letters}{:07}", self.dice.below(10_000_000))
    }
}
