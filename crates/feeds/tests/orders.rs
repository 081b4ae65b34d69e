//! Orders made from the films in `examples/movies`, held against that project's own contract.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use expect_test::expect;
use factum_feeds::{Catalogue, Cents, Order, Orders, Recipe, Span};
use factum_types::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

/// 2026-11-20T19:30:00Z, an evening.
const START: i64 = 1_795_203_000_000;

fn example(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/movies/teams/store").join(file);
    std::fs::read_to_string(path).expect("the example is there")
}

fn recipe(seed: u64) -> Recipe {
    let catalogue = Catalogue::from_csv(example("tables/products.csv").as_bytes()).expect("a catalogue");
    Recipe {
        catalogue: Arc::new(catalogue),
        seed,
        customers: 2_000,
        regions: vec!["Region1".to_owned(), "Region2".to_owned()],
    }
}

/// `count` orders, a tenth of a second apart.
fn orders(recipe: &Recipe, count: i64) -> Vec<Order> {
    let mut orders = Orders::new(recipe, Timestamp::from_millis(START)).expect("a good recipe");
    (0..count).map(|nth| orders.next(Timestamp::from_millis(START + nth * 100))).collect()
}

fn lines(orders: &[Order]) -> Vec<String> {
    orders.iter().map(|order| String::from_utf8(order.to_json()).expect("JSON is UTF-8")).collect()
}

#[test]
fn an_order_looks_like_one() {
    let made = orders(&recipe(7), 1);
    let pretty = serde_json::to_string_pretty(&made[0]).expect("JSON");
    expect![[r#"
        {
          "Region": "Region2",
          "OrderDate": "2026-11-20T19:30:00.000Z",
          "FirstName": "Pavel",
          "LastName": "Dvorak",
          "Address": "Market Passage 48",
          "City": "Gothenburg",
          "State": "Västra Götaland",
          "PostalCode": "41102",
          "Country": "Sweden",
          "Phone": "+46 807 555-0101",
          "SMSOptIn": false,
          "SMSStatus": "",
          "Email": "pavel.dvorak205@example.com",
          "ReceiptUrl": "",
          "Total": 26.98,
          "PaymentTransactionId": "GNE1152037",
          "HasBeenShipped": false,
          "Details": [
            {
              "Email": "pavel.dvorak205@example.com",
              "ProductId": 1103,
              "Quantity": 1,
              "UnitPrice": 11.99
            },
            {
              "Email": "pavel.dvorak205@example.com",
              "ProductId": 1321,
              "Quantity": 1,
              "UnitPrice": 14.99
            }
          ]
        }"#]]
    .assert_eq(&pretty);
}

#[test]
fn a_seed_and_a_start_decide_everything() {
    let made = lines(&orders(&recipe(7), 500));
    assert_eq!(made, lines(&orders(&recipe(7), 500)));
    assert_ne!(made, lines(&orders(&recipe(8), 500)));
    let mut later = Orders::new(&recipe(7), Timestamp::from_millis(START + 1)).expect("a good recipe");
    assert_ne!(made[0].as_bytes(), later.next(Timestamp::from_millis(START)).to_json());
}

#[test]
fn the_first_tenth_of_the_films_sells_half_of_everything() {
    let recipe = recipe(7);
    let mut sold: BTreeMap<i64, u32> = BTreeMap::new();
    let made = orders(&recipe, 20_000);
    for line in made.iter().flat_map(|order| &order.details) {
        *sold.entry(line.product_id).or_default() += line.quantity;
    }
    let products = recipe.catalogue.products();
    let of_tenth: u32 = products[..products.len() / 10].iter().filter_map(|film| sold.get(&film.id)).sum();
    let share = f64::from(of_tenth) / f64::from(sold.values().sum::<u32>());
    assert!((0.45..0.65).contains(&share), "{share}");
    assert_eq!(sold.len(), products.len(), "every film sells at some time");
    let best = sold.iter().max_by_key(|(_, count)| **count).map(|(id, _)| *id);
    assert!(products[..3].iter().any(|film| Some(film.id) == best), "{best:?} is one of the most popular");
}

#[test]
fn customers_come_back_and_stay_who_they_are() {
    let made = orders(&recipe(7), 20_000);
    let mut people: BTreeMap<&str, (BTreeSet<String>, u32)> = BTreeMap::new();
    for order in &made {
        let who = (order.first_name, order.last_name, &order.address, &order.postal_code, &order.phone);
        let person = people.entry(&order.email).or_default();
        person.0.insert(format!("{:?} {} {}", who, order.region, order.sms_opt_in));
        person.1 += 1;
        assert!(order.details.iter().all(|line| line.email == order.email));
    }
    assert!(people.values().all(|(names, _)| names.len() == 1));
    assert!((1_700..=2_000).contains(&people.len()), "{}", people.len());
    let keenest = people.values().map(|(_, orders)| *orders).max();
    assert!(keenest > Some(100), "{keenest:?}");
    let regions: BTreeSet<&str> = made.iter().map(|order| &*order.region).collect();
    assert_eq!(regions, BTreeSet::from(["Region1", "Region2"]));
}

#[test]
fn every_order_keeps_the_contract() {
    let contract: Value = serde_json::from_str(&example("events/orders.schema.json")).expect("a contract");
    let declared: BTreeSet<&String> = contract["properties"].as_object().expect("fields").keys().collect();
    for line in lines(&orders(&recipe(7), 2_000)) {
        let order: Value = serde_json::from_str(&line).expect("JSON");
        check(&contract, &order).unwrap_or_else(|wrong| panic!("{wrong}: {line}"));
        assert_eq!(order.as_object().expect("an object").keys().collect::<BTreeSet<_>>(), declared);
    }
    let mut order: Value = serde_json::from_str(&lines(&orders(&recipe(7), 1))[0]).expect("JSON");
    order["Details"][0]["Quantity"] = "two".into();
    check(&contract, &order).expect_err("the check sees what is wrong");
}

/// The few keywords of JSON Schema that the contract uses; another one is an error, not a silent pass.
fn check(schema: &Value, value: &Value) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        match keyword.as_str() {
            "$schema" | "title" | "description" => {}
            "type" => {
                let fits = match rule.as_str().expect("one type") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64(),
                    "number" => value.is_number(),
                    other => return Err(format!("type {other} is not known here")),
                };
                fits.then_some(()).ok_or_else(|| format!("{value} is no {rule}"))?;
            }
            "properties" => {
                for (name, schema) in rule.as_object().expect("fields") {
                    value.get(name).map_or(Ok(()), |value| check(schema, value))?;
                }
            }
            "items" => {
                value.as_array().expect("the type said so").iter().try_for_each(|item| check(rule, item))?;
            }
            "required" => {
                let missing = rule
                    .as_array()
                    .expect("names")
                    .iter()
                    .find(|name| value.get(name.as_str().expect("a name")).is_none());
                missing.map_or(Ok(()), |name| Err(format!("{name} is missing")))?;
            }
            other => return Err(format!("keyword {other} is not known here")),
        }
    }
    Ok(())
}

#[test]
fn orders_of_the_past_spread_over_their_span_in_no_order() {
    let recipe = recipe(7);
    let (from, to) = (Timestamp::from_millis(START), Timestamp::from_millis(START + 730 * 86_400_000));
    let times: Vec<Timestamp> =
        Span::new(from, to, recipe.rhythm(), 7).expect("not empty").take(4_000).collect();
    let early = times.iter().filter(|at| **at < Timestamp::from_millis(START + 365 * 86_400_000)).count();
    assert!((1_850..2_150).contains(&early), "{early} of 4000 in the first half");
    let falls = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(falls > 1_800, "{falls}");
    assert!(Span::new(to, to, recipe.rhythm(), 7).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Recomputed from the text, digit by digit: no float is between the lines and the total.
    #[test]
    fn totals_are_exact(seed: u64, prices in prop::collection::vec(1_i64..99_999, 1..40)) {
        let rows: String = prices
            .iter()
            .enumerate()
            .map(|(id, price)| format!("{id},{},{id}\n", Cents(*price)))
            .collect();
        let catalogue = Catalogue::from_csv(format!("ItemId,UnitPrice,Popularity\n{rows}").as_bytes());
        let recipe = Recipe { catalogue: Arc::new(catalogue.expect("rows")), seed, ..recipe(seed) };
        for line in lines(&orders(&recipe, 50)) {
            let order: BTreeMap<String, Box<serde_json::value::RawValue>> = serde_json::from_str(&line)?;
            let details: Vec<BTreeMap<String, Box<serde_json::value::RawValue>>> =
                serde_json::from_str(order["Details"].get())?;
            let cents = |text: &str| text.parse::<Cents>().map_err(|error| TestCaseError::fail(error.to_string()));
            let mut sum = 0;
            for detail in &details {
                let product: usize = detail["ProductId"].get().parse().expect("a number");
                let price = cents(detail["UnitPrice"].get())?;
                prop_assert_eq!(price, Cents(prices[product]));
                sum += price.0 * detail["Quantity"].get().parse::<i64>().expect("a number");
            }
            let films: BTreeSet<&str> = details.iter().map(|detail| detail["ProductId"].get()).collect();
            prop_assert_eq!(films.len(), details.len(), "a film stands on one line");
            prop_assert_eq!(cents(order["Total"].get())?, Cents(sum));
        }
    }
}
