//! CloudEvents between their JSON form and Kafka's, with the specification's own examples.

use std::collections::BTreeMap;

use bytes::Bytes;
use expect_test::{Expect, expect};
use factum_types::event::{self, Event};
use factum_types::{Header, Record};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// The first example of the JSON event format.
const APPENDED: &str = r#"{
    "specversion" : "1.0",
    "type" : "com.example.someevent",
    "source" : "/mycontext",
    "subject": null,
    "id" : "C234-1234-1234",
    "time" : "2018-04-05T17:31:00Z",
    "comexampleextension1" : "value",
    "comexampleothervalue" : 5,
    "datacontenttype" : "application/vnd.apache.thrift.binary",
    "data_base64" : "AAEC/w=="
}"#;

fn structured(json: &str) -> Result<Event, event::Error> {
    Event::from_structured_json(&Bytes::copy_from_slice(json.as_bytes()))
}

fn with(members: &str) -> Result<Event, event::Error> {
    structured(&format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t"{members}}}"#))
}

fn show(event: Event) -> String {
    let (key, value, headers) = event.into_kafka();
    let mut lines = vec![format!("key {key:?}"), format!("value {value:?}")];
    lines.extend(headers.iter().map(|h| format!("{} = {:?}", h.key, h.value.as_ref().expect("set"))));
    lines.join("\n") + "\n"
}

fn check_refused(members: &str, expected: &Expect) {
    expected.assert_eq(&with(members).expect_err("refused").to_string());
}

#[test]
fn the_specifications_example_becomes_a_record() {
    let event = structured(APPENDED).expect("an example of the specification");
    expect![[r#"
        key None
        value Some(b"\0\x01\x02\xff")
        ce_specversion = b"1.0"
        ce_id = b"C234-1234-1234"
        ce_source = b"/mycontext"
        ce_type = b"com.example.someevent"
        ce_time = b"2018-04-05T17:31:00Z"
        content-type = b"application/vnd.apache.thrift.binary"
        ce_comexampleextension1 = b"value"
        ce_comexampleothervalue = b"5"
    "#]]
    .assert_eq(&show(event));
}

#[test]
fn json_data_is_a_slice_of_what_was_sent() {
    let text = Bytes::from_static(
        br#"{"data": {"b" : 1.50, "a":[ ] },"specversion":"1.0","id":"1","source":"/s","type":"t"}"#,
    );
    let event = Event::from_structured_json(&text).expect("valid");
    let data = event.data.expect("present");
    assert_eq!(data, br#"{"b" : 1.50, "a":[ ] }"#[..]);
    assert!(text.as_ptr_range().contains(&data.as_ptr()));
    assert_eq!(event.data_content_type.as_deref(), Some("application/json"));
}

#[test]
fn a_partition_key_is_the_records_key() {
    let event = with(r#","partitionkey":"ann@contoso.com","data":"plain","datacontenttype":"text/plain""#);
    expect![[r#"
        key Some(b"ann@contoso.com")
        value Some(b"plain")
        ce_specversion = b"1.0"
        ce_id = b"1"
        ce_source = b"/s"
        ce_type = b"t"
        content-type = b"text/plain"
        ce_partitionkey = b"ann@contoso.com"
    "#]]
    .assert_eq(&show(event.expect("valid")));
}

#[test]
fn violations_of_the_specification_are_named() {
    let refused = structured(r#"{"id":"1","source":"/s","type":"t"}"#).expect_err("refused");
    assert_eq!(refused, event::Error::Missing { name: "specversion" });
    let refused =
        structured(r#"{"specversion":"1.0","id":"","source":"/s","type":"t"}"#).expect_err("refused");
    assert_eq!(refused, event::Error::Missing { name: "id" });
    let refused =
        structured(r#"{"specversion":"0.3","id":"1","source":"/s","type":"t"}"#).expect_err("refused");
    assert_eq!(refused.to_string(), r#"specversion "0.3" is not supported; only "1.0" is"#);
    check_refused(
        r#","Bad":"x""#,
        &expect![[r#"attribute "Bad" is not a name of 1 to 64 lower-case letters and digits"#]],
    );
    check_refused(
        r#","time":"yesterday""#,
        &expect![[r#"attribute "time" is not a time in RFC 3339 form: "yesterday""#]],
    );
    check_refused(
        r#","nested":{"a":[1]}"#,
        &expect![[
            r#"attribute "nested" is an object, but must be text, true, false or a whole number of 32 bits"#
        ]],
    );
    check_refused(
        r#","big":2147483648"#,
        &expect![[
            r#"attribute "big" is a larger number, but must be text, true, false or a whole number of 32 bits"#
        ]],
    );
    check_refused(r#","source":"/t""#, &expect![[r#"attribute "source" is given twice"#]]);
    check_refused(
        r#","data":1,"data_base64":"AA==""#,
        &expect![[r#"attribute "data_base64" is given beside data"#]],
    );
    check_refused(
        r#","data_base64":"A""#,
        &expect![[r#"attribute "data_base64" is not base64: Invalid input length: 1"#]],
    );
    check_refused(r#","subject":"""#, &expect![[r#"attribute "subject" is empty"#]]);
    check_refused(
        r#","subject":"a\u0007b""#,
        &expect![[r#"attribute "subject" holds the character '\u{7}', which is not allowed"#]],
    );
    check_refused(
        r#","dataschema":"not a uri""#,
        &expect![[r#"attribute "dataschema" is not a URI reference: "not a uri""#]],
    );
    check_refused(
        r#","datacontenttype":"json""#,
        &expect![[r#"attribute "datacontenttype" is not a media type: "json""#]],
    );
    check_refused(r#","data":{"a":1,}"#, &expect!["expected a name in double quotes at line 1 column 70"]);
}

#[test]
fn a_batch_names_the_event_that_is_wrong() {
    let good = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#;
    let batch = |text: String, most| Event::from_batch_json(&Bytes::from(text), most);
    assert_eq!(batch("[]".to_owned(), 0), Ok(vec![]));
    assert_eq!(batch(format!(" [{good}, {good}] "), 2).expect("valid").len(), 2);
    assert_eq!(batch(format!("[{good},{good}]"), 1), Err(event::Error::TooMany { limit: 1 }));
    let missing = r#"{"specversion":"1.0","id":"1","source":"/s"}"#;
    let refused = batch(format!("[{good},{missing},{good}]"), 9).expect_err("refused");
    let source = Box::new(event::Error::Missing { name: "type" });
    assert_eq!(refused, event::Error::InBatch { index: 1, source });
    let refused = batch(format!("[{good},\n  {good}"), 9).expect_err("refused");
    let reason = "the text ends inside an array".to_owned();
    assert_eq!(refused, event::Error::Json { reason, line: 2, column: good.len() + 2 });
    let refused = batch(good.to_owned(), 9).expect_err("refused").to_string();
    assert_eq!(refused, "invalid type: map, expected an array of CloudEvents at line 1 column 0");
}

#[test]
fn a_record_says_whether_it_is_an_event() {
    let record = |headers: Vec<Header>, value: &'static str| {
        Event::from_kafka(&headers, Some(Bytes::from_static(value.as_bytes())))
    };
    assert_eq!(record(vec![Header::new("content-type", "application/json")], "{}"), None);
    let text = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":7}"#;
    let content_type = Header::new("content-type", "application/cloudevents+json; charset=UTF-8");
    let structured = record(vec![content_type], text).expect("an event").expect("a valid one");
    assert_eq!(structured.data.as_deref(), Some(&b"7"[..]));
    let broken = record(vec![Header::new("ce_specversion", "1.0")], "{}").expect("meant as an event");
    assert_eq!(broken, Err(event::Error::Missing { name: "id" }));
}

#[test]
fn a_tail_shows_each_kind_of_data() {
    let event = |media_type: Option<&str>, data: &'static [u8]| Event {
        id: "1".into(),
        source: "/s".into(),
        kind: "t".into(),
        data_content_type: media_type.map(str::to_owned),
        data: Some(Bytes::from_static(data)),
        ..Event::default()
    };
    let data = |event: Event| {
        let text = String::from_utf8(event.to_structured_json()).expect("JSON is UTF-8");
        text.split_once(r#""data"#).map(|(_, rest)| rest.to_owned())
    };
    assert_eq!(data(event(None, b"[1, 2]")).as_deref(), Some(r#"":[1, 2]}"#));
    assert_eq!(
        data(event(Some("text/csv"), b"a,b")).as_deref(),
        Some(r#"contenttype":"text/csv","data":"a,b"}"#)
    );
    assert_eq!(data(event(None, b"\xff")).as_deref(), Some(r#"_base64":"/w=="}"#));
}

prop_compose! {
    fn any_event()(
        id in "[ -~]{1,10}",
        source in "[a-z/:]{1,10}",
        kind in "[a-zé.]{1,10}",
        subject in option::of("[ -~ü]{1,10}"),
        millis in option::of(0i64..4_102_444_800_000),
        extensions in btree_map("x[a-z0-9]{1,8}", "[ -~]{0,10}", 0..4),
        data in option::of(vec(any::<u8>(), 0..50)),
    ) -> Event {
        let time = millis.map(|millis| jiff::Timestamp::from_millisecond(millis).expect("in range"));
        let data_content_type = data.as_ref().map(|_| "application/octet-stream".to_owned());
        let extensions: BTreeMap<_, _> = extensions;
        let data = data.map(Bytes::from);
        Event { id, source, kind, subject, time, data_content_type, data_schema: None, extensions, data }
    }
}

proptest! {
    #[test]
    fn every_form_gives_the_event_back(event in any_event()) {
        let (_, value, headers) = event.to_kafka();
        prop_assert_eq!(Event::from_kafka(&headers, value), Some(Ok(event.clone())));
        let json = Bytes::from(event.to_structured_json());
        prop_assert_eq!(Event::from_structured_json(&json), Ok(event.clone()));
        let batch = Bytes::from([b"[", &json[..], b"]"].concat());
        prop_assert_eq!(Event::from_batch_json(&batch, 1), Ok(vec![event]));
    }

    #[test]
    fn garbage_never_panics(text: Vec<u8>, members in "[ -~]{0,40}") {
        drop(Event::from_batch_json(&Bytes::from(text), 10));
        drop(with(&members));
    }
}

#[test]
fn records_stay_small() {
    // A tail of many small records is held as these: a larger one would show in the memory of every reader.
    assert!(size_of::<Record>() <= 120, "{}", size_of::<Record>());
}
