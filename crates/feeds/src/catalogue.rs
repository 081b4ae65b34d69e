//! Products: the rows of a reference table, read as far as a generator needs them.

use std::collections::BTreeSet;

use csv::StringRecord;

use crate::dice::Dice;
use crate::money::{Cents, CentsError};
use crate::weighted::WeightedChoice;

/// Steep and flat of the law by which films sell, see [`WeightedChoice::zipf`]: the first tenth of a few hundred films
/// sells half of everything, and the first ten lie close enough together to overtake each other.
const STEEP: f64 = 1.0;
const FLAT: f64 = 1.7;

/// A product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Product {
    /// Its number.
    pub id: i64,
    /// What one costs.
    pub price: Cents,
}

/// Products with how often each is bought: by rank of popularity, after Zipf.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// The most popular first; equally popular ones by their number.
    products: Vec<Product>,
    weights: WeightedChoice,
}

/// Why rows are no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The rows cannot be told apart.
    #[error("the rows are not CSV")]
    Csv(#[from] csv::Error),
    /// A column that it takes is not there.
    #[error("there is no column {column}; there are: {}", .found.join(", "))]
    MissingColumn {
        /// Its name.
        column: &'static str,
        /// The columns.
        found: Vec<String>,
    },
    /// A number that is none.
    #[error("line {line}: {value:?} in column {column} is not a number")]
    Number {
        /// The line of the file, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// As found.
        value: String,
    },
    /// A price that is none.
    #[error("line {line} has no price that could be read")]
    Price {
        /// The line of the file, from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: CentsError,
    },
    /// A product that is there twice.
    #[error("line {line}: product {id} is there already")]
    Duplicate {
        /// The line of the file, from 1.
        line: u64,
        /// Its number.
        id: i64,
    },
    /// No product at all.
    #[error("there is nothing to buy: no rows below the header")]
    Empty,
}

impl CatalogueError {
    /// The line that is wrong, from 1, where it is one.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Csv(error) => error.position().map(csv::Position::line),
            Self::MissingColumn { .. } => Some(1),
            Self::Number { line, .. } | Self::Price { line, .. } | Self::Duplicate { line, .. } => {
                Some(*line)
            }
            Self::Empty => None,
        }
    }
}

/// Where in a row what stands.
struct Columns {
    id: usize,
    price: usize,
    popularity: Option<usize>,
}

const ID: &str = "ItemId";
const PRICE: &str = "UnitPrice";
const POPULARITY: &str = "Popularity";

impl Catalogue {
    /// Reads CSV with a header. `ItemId` and `UnitPrice` must be there, `Popularity` may be; `item_id` is as good as
    /// `ItemId`.
    ///
    /// # Errors
    /// [`CatalogueError`], with the line.
    pub fn from_csv(text: &[u8]) -> Result<Self, CatalogueError> {
        let mut reader = csv::Reader::from_reader(text);
        let columns = Columns::of(reader.headers()?)?;
        let (mut ranked, mut seen) = (Vec::new(), BTreeSet::new());
        for row in reader.records() {
            let row = row?;
            let line = row.position().map_or(0, csv::Position::line);
            let number =
                |value: &str, column| CatalogueError::Number { line, column, value: value.to_owned() };
            let id = &row[columns.id];
            let id: i64 = id.trim().parse().map_err(|_| number(id, ID))?;
            let price =
                row[columns.price].parse().map_err(|source| CatalogueError::Price { line, source })?;
            let popularity = columns.popularity.map_or("0", |at| &row[at]);
            let rank: f64 = popularity.trim().parse().map_err(|_| number(popularity, POPULARITY))?;
            if !seen.insert(id) {
                return Err(CatalogueError::Duplicate { line, id });
            }
            ranked.push((rank, Product { id, price }));
        }
        Self::of(ranked)
    }

    fn of(mut ranked: Vec<(f64, Product)>) -> Result<Self, CatalogueError> {
        if ranked.is_empty() {
            return Err(CatalogueError::Empty);
        }
        ranked.sort_by(|(rank, product), (other, second)| {
            other.total_cmp(rank).then(product.id.cmp(&second.id))
        });
        let products: Vec<Product> = ranked.into_iter().map(|(_, product)| product).collect();
        Ok(Self { weights: WeightedChoice::zipf(products.len(), STEEP, FLAT), products })
    }

    /// The products, the most popular first.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    pub(crate) fn draw(&self, dice: &mut Dice) -> Product {
        self.products[self.weights.draw(dice)]
    }
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, CatalogueError> {
        let plain = |name: &str| name.trim().replace('_', "").to_lowercase();
        let find = |wanted: &str| header.iter().position(|name| plain(name) == plain(wanted));
        let need = |column| {
            let found = || header.iter().map(str::to_owned).collect();
            find(column).ok_or_else(|| CatalogueError::MissingColumn { column, found: found() })
        };
        Ok(Self { id: need(ID)?, price: need(PRICE)?, popularity: find(POPULARITY) })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_most_popular_comes_first_whatever_the_columns_are_called() {
        let text = b"popularity,item_id,product_name,unit_price\n1.5,7,Up,3\n9,4,\"Salt, Water\",2.50\n9,3,Ink,1.99\n";
        let catalogue = Catalogue::from_csv(text).expect("a catalogue");
        let ids: Vec<i64> = catalogue.products().iter().map(|product| product.id).collect();
        assert_eq!(ids, [3, 4, 7]);
        assert_eq!(catalogue.products()[1].price, Cents(250));
    }

    #[test]
    fn errors_name_their_line() {
        let said: Vec<String> = [
            "",
            "ItemId,UnitPrice\n",
            "ItemId,Price\n1,2\n",
            "ItemId,UnitPrice\n1,2.50\none,2\n",
            "ItemId,UnitPrice\n1,two\n",
            "ItemId,UnitPrice,Popularity\n1,2,high\n",
            "ItemId,UnitPrice\n1,2\n1,3\n",
            "ItemId,UnitPrice\n1,2,3\n",
        ]
        .into_iter()
        .map(|text| {
            let error = Catalogue::from_csv(text.as_bytes()).expect_err(text);
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            error.to_string() + &source.unwrap_or_default()
        })
        .collect();
        expect![[r#"
            there is no column ItemId; there are: 
            there is nothing to buy: no rows below the header
            there is no column UnitPrice; there are: ItemId, Price
            line 3: "one" in column ItemId is not a number
            line 2 has no price that could be read: "two" is not a price from 0 to 1000000 with two digits behind the point
            line 2: "high" in column Popularity is not a number
            line 3: product 1 is there already
            the rows are not CSV: CSV error: record 1 (line: 2, byte: 17): found record with 3 fields, but the previous record has 2 fields
        "#]].assert_eq(&(said.join("\n") + "\n"));
    }
}
