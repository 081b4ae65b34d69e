//! The five views of `examples/movies`, computed again from the orders themselves in plain loops: no SQL, no code
//! of the engine.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::{Value, json};

/// What the catalogue says of a film.
struct Film {
    title: String,
    category: String,
}

/// The films of a project's `products.csv` and `categories.csv`.
pub(crate) struct Catalogue(HashMap<i64, Film>);

impl Catalogue {
    /// Reads the two files of a folder.
    pub(crate) fn read(tables: &Path) -> Self {
        let categories: HashMap<String, String> = rows(&tables.join("categories.csv"))
            .into_iter()
            .map(|row| (row[0].clone(), row[1].clone()))
            .collect();
        let films = rows(&tables.join("products.csv")).into_iter().map(|row| {
            let film = Film { title: row[1].clone(), category: categories[&row[4]].clone() };
            (row[0].parse().expect("a number"), film)
        });
        Self(films.collect())
    }

    /// The ids of all films, in order.
    pub(crate) fn films(&self) -> Vec<i64> {
        let mut ids: Vec<_> = self.0.keys().copied().collect();
        ids.sort_unstable();
        ids
    }
}

/// `ItemId,ProductName,…` and `CategoryId,CategoryName`: rows without the header.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("a CSV file");
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// Counts of all orders added so far.
#[derive(Default)]
pub(crate) struct Recount {
    sold: BTreeMap<i64, i64>,
    categories: BTreeMap<String, (i64, i64)>,
    /// Orders and cents of each minute since 1970.
    minutes: BTreeMap<i64, (i64, i64)>,
    pub(crate) orders: usize,
}

impl Recount {
    /// Adds an order. Details of films that the catalogue does not have count for no category.
    pub(crate) fn add(&mut self, order: &[u8], catalogue: &Catalogue) {
        let order: Value = serde_json::from_slice(order).expect("an order");
        self.orders += 1;
        let at: jiff::Timestamp = order["OrderDate"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        let minute = self.minutes.entry(at.as_second().div_euclid(60)).or_default();
        minute.0 += 1;
        minute.1 += cents(&order["Total"]);
        for line in order["Details"].as_array().expect("details") {
            let film = line["ProductId"].as_i64().expect("a film");
            let quantity = line["Quantity"].as_i64().expect("a quantity");
            *self.sold.entry(film).or_default() += quantity;
            if let Some(film) = catalogue.0.get(&film) {
                let category = self.categories.entry(film.category.clone()).or_default();
                category.0 += quantity;
                category.1 += quantity * cents(&line["UnitPrice"]);
            }
        }
    }

    /// The rows of `top_movies`.
    pub(crate) fn top_movies(&self, catalogue: &Catalogue) -> Vec<Value> {
        let mut sold: Vec<_> = self.sold.iter().map(|(film, sold)| (-sold, *film)).collect();
        sold.sort_unstable();
        let title = |film: &i64| catalogue.0.get(film).map(|film| film.title.clone());
        let row =
            |(sold, film): &(i64, i64)| json!({"product_id": film, "title": title(film), "sold": -sold});
        sold.iter().take(10).map(row).collect()
    }

    /// The rows of `popular_categories`.
    pub(crate) fn popular_categories(&self) -> Vec<Value> {
        let mut all: Vec<_> =
            self.categories.iter().map(|(name, (sold, cents))| (-sold, name, cents)).collect();
        all.sort_unstable();
        let row = |(sold, name, cents): &(i64, &String, &i64)| json!({"category": name, "sold": -sold, "revenue": money(**cents)});
        all.iter().map(row).collect()
    }

    /// The rows of `orders_per_minute`.
    pub(crate) fn orders_per_minute(&self) -> Vec<Value> {
        self.windows(1)
    }

    /// Orders and revenue of each day that has some.
    pub(crate) fn orders_per_day(&self) -> Vec<Value> {
        self.windows(24 * 60)
    }

    /// Orders and revenue of each window of so many minutes that has some.
    fn windows(&self, minutes: i64) -> Vec<Value> {
        let mut windows: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for (minute, (orders, cents)) in &self.minutes {
            let window = windows.entry(minute.div_euclid(minutes) * minutes).or_default();
            *window = (window.0 + orders, window.1 + cents);
        }
        let row = |(minute, (orders, cents)): (&i64, &(i64, i64))| {
            let start = jiff::Timestamp::from_second(minute * 60).expect("a time").to_string();
            json!({"window_start": start, "orders": orders, "revenue": money(*cents)})
        };
        windows.iter().map(row).collect()
    }

    /// The row of `orders_this_hour` at `now`.
    pub(crate) fn orders_this_hour(&self, now: jiff::Timestamp) -> Value {
        json!({"orders": self.within(now, 3_600).0})
    }

    /// The row of `activity_today` at `now`.
    pub(crate) fn activity_today(&self, now: jiff::Timestamp) -> Value {
        let (orders, cents) = self.within(now, 86_400);
        json!({"orders": orders, "revenue": money(cents)})
    }

    /// Orders and cents of the whole hour or day, of so many seconds, that `now` is in.
    fn within(&self, now: jiff::Timestamp, seconds: i64) -> (i64, i64) {
        let start = now.as_second().div_euclid(seconds) * seconds / 60;
        let minutes = self.minutes.range(start..start + seconds / 60);
        minutes.fold((0, 0), |sum, (_, minute)| (sum.0 + minute.0, sum.1 + minute.1))
    }
}

/// A JSON number of at most two decimals.
fn cents(amount: &Value) -> i64 {
    (amount.as_f64().expect("a number") * 100.0).round() as i64
}

/// Money as JSON shows it: text, without zeros at the end.
fn money(cents: i64) -> String {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
