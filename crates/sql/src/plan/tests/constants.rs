//! Constants of calls: wrong ones are errors of the statement, and what depends on a row's values never is.

use std::collections::BTreeSet;
use std::fmt::Write;

use expect_test::expect;

use super::world::{planned, write_problems};
use crate::plan::relations::Relations;

/// Every scalar function, in calls that can be computed of some row.
const ACCEPTED: &str = "
    abs(quantity) | abs(-1) | acos(total) | acosh(total) | asin(total) | asinh(total) | atan(total) | atan2(total, 0)
    atanh(total) | cbrt(total) | ceil(total) | cos(total) | cosh(total) | cot(total) | degrees(total) | exp(total)
    factorial(quantity) | floor(total) | gcd(quantity, 0) | isnan(CAST(total AS DOUBLE)) | iszero(total) | lcm(quantity, id)
    ln(total) | ln(quantity) | log(total) | log(0, quantity) | log10(quantity) | log2(quantity) | nanvl(CAST(total AS DOUBLE), 0.0)
    pi() | power(quantity, -1) | power(quantity, quantity) | radians(total) | round(total, 1) | round(total, quantity)
    signum(total) | sin(total) | sinh(total) | sqrt(quantity) | tan(total) | tanh(total) | trunc(total, 40) | trunc(total)
    ascii(customer) | bit_length(customer) | btrim(customer, 'x') | chr(quantity) | concat(customer, 'x', id)
    concat_ws(',', customer, id) | contains(customer, '') | decode(customer, 'hex') | decode(customer, 'base64')
    encode(customer, 'hex') | ends_with(customer, '') | find_in_set(customer, 'a,b')
    initcap(customer) | left(customer, -1) | left(customer, quantity) | length(customer) | character_length(customer)
    levenshtein(customer, 'abc') | lower(customer) | lpad(customer, quantity, customer) | lpad(customer, -1) | ltrim(customer)
    octet_length(customer) | overlay(customer PLACING 'x' FROM quantity) | regexp_count(customer, customer)
    regexp_count(customer, '[a-z]', quantity, 'i') | regexp_instr(customer, 'a', quantity) | regexp_like(customer, customer)
    regexp_like(customer, '^a', 'i') | regexp_match(customer, 'a') | regexp_match(customer, customer)
    regexp_replace(customer, 'a', customer, 'g') | repeat(customer, 1000000000) | repeat(customer, quantity)
    replace(customer, 'a', customer) | reverse(customer) | right(customer, -1) | rpad(customer, quantity) | rtrim(customer)
    split_part(customer, ',', quantity) | split_part(customer, ',', -1) | starts_with(customer, '') | strpos(customer, 'a')
    substr(customer, quantity, quantity) | substr(customer, -1) | substr_index(customer, ',', 0) | to_hex(quantity)
    translate(customer, 'a', 'b') | upper(customer) | instr(customer, 'a') | position('a' IN customer)
    customer ~ customer | customer LIKE customer | customer SIMILAR TO 'a+' | customer ¦ 'x'
    date_bin(INTERVAL '15 minutes', order_date) | date_bin(INTERVAL '1 month', order_date, TIMESTAMP '2001-01-01')
    date_part('year', order_date) | date_part('YEAR', order_date) | extract(epoch FROM order_date) | date_part('dow', order_date)
    date_trunc('hour', order_date) | date_trunc('QUARTER', order_date) | from_unixtime(quantity) | make_time(quantity, 0, 0)
    from_unixtime(quantity, 'Europe/Berlin') | make_date(quantity, 12, 31) | make_date(quantity, quantity, quantity)
    to_char(order_date, '%d.%m.%Y') | to_char(order_date, customer) | to_date(customer, '%d/%m/%Y') | to_date(customer)
    to_local_time(order_date) | to_time(customer, '%H-%M-%S') | to_time(customer) | to_timestamp(customer, '%d/%m/%Y %H:%M:%S')
    to_timestamp(customer) | to_timestamp(customer, customer) | to_timestamp(customer, '%Q', '%Y-%m-%d %H:%M:%S%#z')
    to_timestamp(quantity) | to_timestamp_seconds(customer, '%s') | to_timestamp_millis(quantity) | to_timestamp_micros(customer)
    to_timestamp_nanos(quantity) | to_unixtime(customer, '%Y-%m-%d %H:%M:%S %z') | to_timestamp(customer, '%+')
    order_date AT TIME ZONE 'Europe/Berlin' | order_date + INTERVAL '1 day' | now() - order_date | order_date > now()
    current_date - INTERVAL '1 day' | CAST(customer AS INT) | CAST(customer AS TIMESTAMP) | CAST(quantity AS VARCHAR)
    quantity / (quantity - 13) | quantity % id | total / quantity | CASE WHEN quantity > 1 THEN 1 / 0 END
    coalesce(customer, 'x') | greatest(quantity, 1) | least(quantity, 1) | nullif(quantity, 1) | nvl(customer, 'x')
    nvl2(customer, 'x', 'y') | arrow_cast(customer, 'Int64') | arrow_try_cast(customer, 'Int64') | arrow_typeof(customer)
    arrow_field(customer) | arrow_metadata(customer) | with_metadata(customer, 'a', 'b') | struct(customer, id) | version()
    named_struct('a', customer) | get_field(address, 'city') | address['city']
    array_add([total], [1.0]) | array_any_value(tags) | array_append(tags, 'a') | array_avg([quantity]) | array_compact(tags)
    array_concat(tags, tags) | array_dims(tags) | array_distance([total], [1.0, 2.0]) | array_distinct(tags)
    array_element(tags, 0) | array_element(tags, quantity) | tags[quantity] | empty(tags) | array_except(tags, ['a'])
    array_has(tags, 'a') | array_has_all(tags, tags) | array_has_any(tags, tags) | array_intersect(tags, ['a'])
    array_length(tags) | array_length(tags, 2) | array_max([quantity]) | array_min([quantity]) | array_ndims(tags)
    array_normalize([total]) | array_pop_back(tags) | array_pop_front(tags) | array_position(tags, 'a')
    array_position(tags, 'a', quantity) | array_positions(tags, 'a') | array_prepend('a', tags) | array_product([quantity])
    array_remove(tags, 'a') | array_remove_all(tags, 'a') | array_remove_n(tags, 'a', 1) | array_repeat(customer, quantity)
    array_replace(tags, 'a', 'b') | array_replace_all(tags, 'a', 'b') | array_replace_n(tags, 'a', 'b', 1)
    array_resize(tags, 3, 'a') | array_resize(tags, quantity) | array_reverse(tags) | array_scale([total], 2.0)
    array_slice(tags, 1, 2) | array_slice(tags, quantity, quantity, quantity) | array_sort(tags, 'DESC', 'NULLS FIRST')
    array_sort(tags) | array_subtract([total], [1.0]) | array_sum([quantity]) | array_to_string(tags, ',')
    array_union(tags, ['a']) | arrays_overlap(tags, tags) | arrays_zip(tags, tags) | cardinality(tags)
    cosine_distance([total], [1.0]) | dot_product([total], [1.0]) | inner_product([total], [1.0]) | flatten([tags])
    range(0, quantity) | generate_series(1, quantity) | range(order_date, order_date, INTERVAL '1 day')
    make_array(customer, 'a') | string_to_array(customer, ',') | map(tags, tags) | map([customer], [quantity])
    map_entries(map([customer], [quantity])) | map_extract(map([customer], [quantity]), 'a')
    array_distance([total, total, total, total, total], [1.0, 2.0, 3.0, 4.0, 5.0]) | array_position(tags, 'a', 900)
    array_add([total, total, total, total, total, id], [1, 2, 3, 4, 5, 6]) | map(tags, ['a', 'b', 'c', 'd', 'e'])
    range(quantity, 1000000000) | range(1000000000, quantity) | array_slice(tags, 900, 901) | array_position(tags, 'a', 90000)
    lpad(customer, 1000000000, 'x') | quantity + 9223372036854775807 | 9223372036854775807 - quantity | substr(customer, 900)
    split_part(customer, ',', 900) | regexp_instr(customer, 'a', 900) | regexp_count(customer, 'a', 900) | left(customer, 900)
    overlay(customer PLACING 'x' FROM 900) | array_element(tags, 900) | array_remove_n(tags, 'a', 900) | power(quantity, 900)
    array_resize(tags, 900) | quantity * 9223372036854775807 | total * 99999999999999999999.99 | chr(quantity + 1000000)
    regexp_instr(customer, 'a', 1, 9) | arrow_cast(customer, 'Interval(MonthDayNano)') | arrow_cast(tags, 'FixedSizeList(9 x Utf8)')
    array_sum(array_scale([total, total, total, total, total], 2.0)) | make_date(quantity, 2, 29) | make_date(2024, 2, quantity)
    map_keys(map([customer], [quantity])) | map_values(map([customer], [quantity]))
";

/// Functions that no statement of a view can have: never the same twice, made by the planner, written without brackets, or of types that no column
/// has.
const NONE: [&str; 13] = [
    "cast_to_type",
    "current_date",
    "current_time",
    "file_row_index",
    "input_file_name",
    "random",
    "row",
    "try_cast_to_type",
    "tumble_end",
    "tumble_start",
    "union_extract",
    "union_tag",
    "uuid",
];

fn view(call: &str) -> String {
    format!("CREATE MATERIALIZED VIEW v AS\n  SELECT {call} AS x FROM orders")
}

fn accepted() -> impl Iterator<Item = &'static str> {
    ACCEPTED.split(['|', '\n']).map(str::trim).filter(|call| !call.is_empty())
}

#[test]
fn a_call_that_can_be_computed_of_some_row_is_never_refused() {
    let calls = accepted().map(|call| call.replace('¦', "||"));
    let refused =
        calls.filter_map(|call| Some(format!("{call}: {}", planned(&view(&call)).err()?[0].message)));
    let refused: Vec<_> = refused.collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_function_is_tried() {
    let relations = Relations::new();
    let functions = relations.state().scalar_functions().values();
    let names: BTreeSet<_> = functions.map(|function| function.name().to_owned()).collect();
    let calls: BTreeSet<_> = accepted().filter_map(|call| call.split('(').next()).collect();
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !calls.contains(name.as_str()) && !NONE.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "no call of {missing:?}");
}

#[test]
fn constants_that_are_wrong_whatever_the_row_holds() {
    let mut shown = String::new();
    for call in [
        "date_part('yaer', order_date)",
        "extract(yaer FROM order_date)",
        "date_trunc('fortnight', order_date)",
        "date_trunc(customer, order_date)",
        "date_trunc('huor', now())",
        "concat(date_part('year', order_date), date_part('moth', order_date))",
        "CASE WHEN quantity > 0 THEN date_part('yaer', order_date) END",
        "count(DISTINCT date_part('yaer', order_date))",
        "sum(quantity) FILTER (WHERE date_part('yaer', order_date) = 1)",
        "date_bin(INTERVAL '0 seconds', order_date)",
        "date_bin(INTERVAL '1 month 1 day', order_date)",
        "to_char(order_date, '%Q')",
        "to_timestamp(customer, '%Q')",
        "to_timestamp(customer, '%H:%M')",
        "to_timestamp('never')",
        "order_date AT TIME ZONE 'Foo/Bar'",
        "from_unixtime(quantity, 'Foo/Bar')",
        "make_date(quantity, 13, 1)",
        "encode(customer, 'hexx')",
        "decode(customer, 'base65')",
        "regexp_like(customer, '(')",
        "regexp_replace(customer, 'a', 'x', 'y')",
        "regexp_count(customer, 'a', 0)",
        "customer ~ '('",
        "substr(customer, 1, -2)",
        "split_part(customer, ',', 0)",
        "overlay(customer PLACING 'x' FROM 0)",
        "chr(-1)",
        "range(0, 1000000000000)",
        "array_sum([[id], [id]])",
        "array_product([[id]])",
        "cosine_distance([[total]], [[total]])",
        "array_sort(tags, 'UPP')",
        "array_position(tags, 'a', 0)",
        "range(0, quantity, 0)",
        "arrow_cast(customer, 'Intt')",
        "address['citi']",
        "CAST('abc' AS INT)",
        "quantity = 'abc'",
        "order_date > 'yesterday'",
        "quantity / 0",
        "total % 0",
    ] {
        writeln!(shown, "{call}").expect("a string");
        let Err(problems) = planned(&view(call)) else {
            writeln!(shown, "  accepted").expect("a string");
            continue;
        };
        write_problems(&mut shown, problems);
    }
    expect![[r#"
        date_part('yaer', order_date)
          "'yaer'": date part 'yaer' not supported
          help: did you mean 'year'?
        extract(yaer FROM order_date)
          "yaer": date part 'yaer' not supported
          help: did you mean 'year'?
        date_trunc('fortnight', order_date)
          "'fortnight'": unsupported date_trunc granularity: 'fortnight'. Supported values are: microsecond, millisecond, second, minute, hour, day, week, month, quarter, year
        date_trunc(customer, order_date)
          "date_trunc(customer, order_date": granularity of `date_trunc` must be non-null scalar text
        date_trunc('huor', now())
          "'huor'": unsupported date_trunc granularity: 'huor'. Supported values are: microsecond, millisecond, second, minute, hour, day, week, month, quarter, year
          help: did you mean 'hour'?
        concat(date_part('year', order_date), date_part('moth', order_date))
          "'moth'": date part 'moth' not supported
          help: did you mean 'month'?
        CASE WHEN quantity > 0 THEN date_part('yaer', order_date) END
          "'yaer'": date part 'yaer' not supported
          help: did you mean 'year'?
        count(DISTINCT date_part('yaer', order_date))
          "'yaer'": date part 'yaer' not supported
          help: did you mean 'year'?
        sum(quantity) FILTER (WHERE date_part('yaer', order_date) = 1)
          "'yaer'": date part 'yaer' not supported
          help: did you mean 'year'?
        date_bin(INTERVAL '0 seconds', order_date)
          "date_bin(INTERVAL '0 seconds', order_date": DATE_BIN stride must be non-zero
        date_bin(INTERVAL '1 month 1 day', order_date)
          "date_bin(INTERVAL '1 month 1 day', order_date": DATE_BIN stride does not support combination of month, day and nanosecond intervals
        to_char(order_date, '%Q')
          "'%Q'": to_char cannot write this with the format '%Q': write one such as '%Y-%m-%d'
        to_timestamp(customer, '%Q')
          "'%Q'": to_timestamp cannot read by the format '%Q': write one such as '%Y-%m-%d'
        to_timestamp(customer, '%H:%M')
          "'%H:%M'": to_timestamp cannot read by the format '%H:%M': a part of the date or time is missing
        to_timestamp('never')
          "'never'": to_timestamp cannot be computed: 'never' is no timestamp
        order_date AT TIME ZONE 'Foo/Bar'
          "'Foo/Bar'": there is no time zone 'Foo/Bar'
        from_unixtime(quantity, 'Foo/Bar')
          "'Foo/Bar'": from_unixtime cannot be computed: there is no time zone 'Foo/Bar'
        make_date(quantity, 13, 1)
          "13": make_date cannot be computed: month value '13' is out of range
        encode(customer, 'hexx')
          "'hexx'": encode cannot be computed: there is no built-in encoding named 'hexx', currently supported encodings are: base64, base64pad, hex
          help: did you mean 'hex'?
        decode(customer, 'base65')
          "'base65'": decode cannot be computed: there is no built-in encoding named 'base65', currently supported encodings are: base64, base64pad, hex
        regexp_like(customer, '(')
          "'('": regexp_like cannot be computed: the pattern is no regular expression: unclosed group
        regexp_replace(customer, 'a', 'x', 'y')
          "'y'": regexp_replace cannot be computed: the pattern is no regular expression: unrecognized flag
        regexp_count(customer, 'a', 0)
          "0": regexp_count() requires start to be 1 based
        customer ~ '('
          "'('": the pattern is no regular expression: unclosed group
        substr(customer, 1, -2)
          "2": substr cannot be computed: negative count not allowed: -2
        split_part(customer, ',', 0)
          "0": split_part cannot be computed: field position must not be zero
        overlay(customer PLACING 'x' FROM 0)
          "0": overlay start position must be at least 1: 0
        chr(-1)
          "1": chr cannot be computed: invalid Unicode scalar value: -1
        range(0, 1000000000000)
          "range(0, 1000000000000": range would make a constant of more than 16 MiB
        array_sum([[id], [id]])
          "array_sum([[id], [id": array_sum(list of list of double) cannot be computed
        array_product([[id]])
          "array_product([[id": array_product(list of list of double) cannot be computed
        cosine_distance([[total]], [[total]])
          "cosine_distance([[total]], [[total": cosine_distance(list of list of double, list of list of double) cannot be computed
        array_sort(tags, 'UPP')
          "array_sort(tags, 'UPP'": the second parameter of array_sort expects DESC or ASC
        array_position(tags, 'a', 0)
          "0": array_position cannot be computed: start_from out of bounds: 0
        range(0, quantity, 0)
          "0": step can't be 0 for function range(start [, stop, step])
        arrow_cast(customer, 'Intt')
          "'Intt'": unsupported type 'Intt'. Must be a supported arrow type name such as 'integer' or 'timestamp'. Error unknown token: Intt
        address['citi']
          "'citi'": there is no field `citi`
        CAST('abc' AS INT)
          "'abc'": 'abc' is no integer
        quantity = 'abc'
          "'abc'": 'abc' is no bigint
        order_date > 'yesterday'
          "'yesterday'": 'yesterday' is no timestamp
        quantity / 0
          "0": division by zero
        total % 0
          "0": division by zero
    "#]].assert_eq(&shown);
}
