use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use factum_base::clock::SystemClock;
use factum_testkit::TokenIssuer;

use super::*;
use crate::ITERATIONS;

const ANYONE: ClientAddress = ClientAddress::UNKNOWN;

fn logins() -> Logins {
    let users = Users::default();
    for mechanism in ScramMechanism::ALL {
        users.set("ann", ScramCredential::from_password(mechanism, "p,w=d", vec![7; SALT_BYTES], ITERATIONS));
    }
    let random = Random::seeded(1);
    let passwords = PasswordChecks::new(users.clone(), &random);
    Logins::new(users, passwords, ServerSecret::random(&random), random)
}

fn text(step: Step) -> String {
    match step {
        Step::Challenge(message) => String::from_utf8(message).expect("text"),
        Step::Success(login) => String::from_utf8(login.reply).expect("text"),
    }
}

fn refusal(outcome: Result<Step, LoginError>) -> LoginError {
    match outcome {
        Ok(step) => panic!("taken: {}", text(step)),
        Err(error) => error,
    }
}

/// The client's final message, with `header` for what it says of channel binding.
fn final_message(first: &str, challenge: &str, password: &str, header: &str) -> String {
    let mechanism = ScramMechanism::Sha256;
    let mut parts = challenge.split(',');
    let nonce = &parts.next().expect("a nonce")[2..];
    let salt = STANDARD.decode(&parts.next().expect("a salt")[2..]).expect("base64");
    let salted = mechanism.salted_password(password.as_bytes(), &salt, ITERATIONS);
    let client_key = mechanism.hmac(&salted, b"Client Key");
    let bare = first.splitn(3, ',').nth(2).expect("a header");
    let without_proof = format!("c={},r={nonce}", STANDARD.encode(header));
    let exchange = format!("{bare},{challenge},{without_proof}");
    let signature = mechanism.hmac(&mechanism.hash(&client_key), exchange.as_bytes());
    let proof: Vec<_> = client_key.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
    format!("{without_proof},p={}", STANDARD.encode(proof))
}

async fn challenge(exchange: &mut Exchange, first: &str) -> String {
    text(exchange.next(first.as_bytes()).await.unwrap_or_else(|error| panic!("{first}: {error}")))
}

/// A client's last message, made of its first and of what it was asked.
type FinalMessage = fn(&str, &str) -> String;

#[tokio::test]
async fn a_proof_logs_in_and_each_part_of_it_counts() {
    let logins = logins();
    let first = "n,,n=ann,r=abc";
    let good = |challenge: &str| final_message(first, challenge, "p,w=d", "n,,");
    let mut exchange = logins.begin(Mechanism::ScramSha256, ANYONE);
    let asked = challenge(&mut exchange, first).await;
    assert!(asked.starts_with("r=abc") && asked.len() > 70, "{asked}");
    let Ok(Step::Success(login)) = exchange.next(good(&asked).as_bytes()).await else { panic!("refused") };
    assert_eq!(login.user, "ann");
    assert!(login.reply.starts_with(b"v="));
    assert_eq!(
        refusal(exchange.next(good(&asked).as_bytes()).await),
        LoginError::Malformed("the exchange is over")
    );

    let wrong: [(&str, FinalMessage); 7] = [
        ("another password", |first, asked| final_message(first, asked, "other", "n,,")),
        ("another binding", |first, asked| final_message(first, asked, "p,w=d", "y,,")),
        ("the client's nonce alone", |first, asked| {
            final_message(first, asked, "p,w=d", "n,,").replacen(
                &asked[2..asked.find(',').expect("one")],
                "abc",
                1,
            )
        }),
        ("no nonce", |first, asked| {
            let message = final_message(first, asked, "p,w=d", "n,,");
            message.replacen(&format!(",{}", &asked[..asked.find(',').expect("one")]), "", 1)
        }),
        ("no proof", |first, asked| {
            let message = final_message(first, asked, "p,w=d", "n,,");
            message[..message.rfind(",p=").expect("one")].to_owned()
        }),
        ("a short proof", |_, asked| format!("c=biws,{},p=AAAA", asked.split(',').next().expect("one"))),
        ("nothing", |_, _| String::new()),
    ];
    for (case, message) in wrong {
        let mut exchange = logins.begin(Mechanism::ScramSha256, ANYONE);
        let asked = challenge(&mut exchange, first).await;
        refusal(exchange.next(message(first, &asked).as_bytes()).await);
        let later = refusal(exchange.next(good(&asked).as_bytes()).await);
        assert_eq!(later, LoginError::Malformed("the exchange is over"), "{case}");
    }
}

#[tokio::test]
async fn a_proof_is_of_one_exchange() {
    let logins = logins();
    let first = "n,,n=ann,r=abc";
    let mut one = logins.begin(Mechanism::ScramSha256, ANYONE);
    let asked = challenge(&mut one, first).await;
    let proof = final_message(first, &asked, "p,w=d", "n,,");
    assert!(one.next(proof.as_bytes()).await.is_ok());
    let mut other = logins.begin(Mechanism::ScramSha256, ANYONE);
    challenge(&mut other, first).await;
    refusal(other.next(proof.as_bytes()).await);
}

#[tokio::test]
async fn first_messages_are_taken_by_the_letter() {
    let logins = logins();
    for first in ["y,,n=ann,r=abc", "n,a=ann,n=ann,r=abc,ext=1", "n,,n=a=2Cb=3D,r=!~"] {
        challenge(&mut logins.begin(Mechanism::ScramSha512, ANYONE), first).await;
    }
    let first = "y,,n=ann,r=abc";
    let mut exchange = logins.begin(Mechanism::ScramSha256, ANYONE);
    let asked = challenge(&mut exchange, first).await;
    let message = final_message(first, &asked, "p,w=d", "y,,");
    assert!(exchange.next(message.as_bytes()).await.is_ok(), "it could bind, and the server does not");
    for first in [
        "",
        "n",
        "n,,",
        "n,,n=ann",
        "n,,r=abc,n=ann",
        "n,,m=ext,n=ann,r=abc",
        "n,,n=ann,r=",
        "n,,n=ann,r=a c",
        "n,,n=,r=abc",
        "p=tls-unique,,n=ann,r=abc",
        "x,,n=ann,r=abc",
        "n,a=bob,n=ann,r=abc",
        "n,b,n=ann,r=abc",
        "n,,n=a=2,r=abc",
        "n,,n=a=41,r=abc",
    ] {
        refusal(logins.begin(Mechanism::ScramSha256, ANYONE).next(first.as_bytes()).await);
    }
}

#[tokio::test]
async fn an_unknown_user_looks_like_any_other() {
    let logins = logins();
    let ask = async |user: &str| {
        let asked =
            challenge(&mut logins.begin(Mechanism::ScramSha256, ANYONE), &format!("n,,n={user},r=abc")).await;
        asked.split_once(',').expect("two").1.to_owned()
    };
    let (known, unknown) = (ask("ann").await, ask("bob").await);
    assert_eq!(known.len(), unknown.len());
    assert_eq!(unknown, ask("bob").await, "the salt stays the same");
    assert_ne!(unknown, ask("eve").await);
    let mut exchange = logins.begin(Mechanism::ScramSha256, ANYONE);
    let first = "n,,n=bob,r=abc";
    let asked = challenge(&mut exchange, first).await;
    assert_eq!(
        refusal(exchange.next(final_message(first, &asked, "", "n,,").as_bytes()).await),
        LoginError::Refused
    );
}

#[tokio::test]
async fn plain_takes_passwords_and_connection_strings() {
    let users = Users::default();
    users.set(
        "ann",
        ScramCredential::from_password(ScramMechanism::Sha512, "secret", vec![7; 16], ITERATIONS),
    );
    users.set(
        "bob",
        ScramCredential::from_password(ScramMechanism::Sha256, "a2V5PT0=", vec![7; 16], ITERATIONS),
    );
    let random = Random::seeded(1);
    let passwords = PasswordChecks::new(users.clone(), &random);
    let logins = Logins::new(users, passwords, ServerSecret::random(&random), random);
    let try_with =
        async |message: &str| match logins.begin(Mechanism::Plain, ANYONE).next(message.as_bytes()).await {
            Ok(Step::Success(login)) => Ok(login.user),
            Ok(Step::Challenge(_)) => panic!("PLAIN asks nothing"),
            Err(error) => Err(error),
        };
    let string = "Endpoint=sb://x.example/;SharedAccessKeyName=bob;SharedAccessKey=a2V5PT0=;EntityPath=t";
    for (message, user) in [
        ("\0ann\0secret".to_owned(), "ann"),
        ("ann\0ann\0secret".to_owned(), "ann"),
        ("\0bob\0a2V5PT0=".to_owned(), "bob"),
        (format!("\0$ConnectionString\0{string}"), "bob"),
    ] {
        assert_eq!(try_with(&message).await.as_deref(), Ok(user), "{message:?}");
    }
    for refused in ["\0ann\0Secret", "\0eve\0secret", "\0bob\0a2V5"] {
        assert_eq!(try_with(refused).await, Err(LoginError::Refused), "{refused:?}");
    }
    for malformed in [
        "",
        "ann",
        "\0ann",
        "\0ann\0",
        "\0\0x",
        "bob\0ann\0secret",
        "\0ann\0secret\0",
        "\0$ConnectionString\0x",
    ] {
        assert!(matches!(try_with(malformed).await, Err(LoginError::Malformed(_))), "{malformed:?}");
    }
}

fn with_tokens(issuer: &TokenIssuer, folder: &std::path::Path) -> Logins {
    let options = OAuthBearerOptions {
        jwks: issuer.write_keys(folder),
        issuer: "https://issuer.example".to_owned(),
        audience: "factum".to_owned(),
        principal_claim: "sub".to_owned(),
    };
    let keys = TokenKeys::open(&options.jwks).expect("keys");
    logins().with_tokens(options, keys, Arc::new(SystemClock))
}

fn bearer(token: &str) -> Vec<u8> {
    format!("n,,\x01auth=Bearer {token}\x01\x01").into_bytes()
}

#[tokio::test]
async fn a_token_holds_for_its_issuer_audience_and_time() {
    use factum_base::clock::Clock as _;
    let (issuer, folder) = (TokenIssuer::new(), tempfile::tempdir().expect("a folder"));
    let logins = with_tokens(&issuer, folder.path());
    let now = SystemClock.now().as_millis() / 1_000;
    let header = serde_json::json!({"alg": "ES256", "kid": TokenIssuer::KEY_ID});
    let good = serde_json::json!({
        "iss": "https://issuer.example", "aud": ["other", "factum"], "sub": "ann", "exp": now + 300, "nbf": now - 1
    });
    let try_with = async |message: &[u8]| logins.begin(Mechanism::OAuthBearer, ANYONE).next(message).await;
    let Ok(Step::Success(login)) = try_with(&bearer(&issuer.token(&header, &good))).await else {
        panic!("refused")
    };
    assert_eq!(login.user, "ann");
    assert!(login.valid_for.is_some_and(|left| left.as_secs() > 290 && left.as_secs() <= 300));
    let changes = [
        ("iss", serde_json::json!("https://else.example")),
        ("aud", serde_json::json!("other")),
        ("aud", serde_json::Value::Null),
        ("exp", serde_json::json!(now - 60)),
        ("exp", serde_json::Value::Null),
        ("exp", serde_json::json!(1e300)),
        ("nbf", serde_json::json!(now + 120)),
        ("sub", serde_json::json!("")),
        ("sub", serde_json::json!("ANONYMOUS")),
        ("sub", serde_json::json!("x".repeat(300))),
        ("sub", serde_json::json!(7)),
    ];
    for (claim, value) in changes {
        let mut claims = good.clone();
        claims[claim] = value.clone();
        assert_eq!(
            refusal(try_with(&bearer(&issuer.token(&header, &claims))).await),
            LoginError::Refused,
            "{claim} {value}"
        );
    }
    for header in [
        serde_json::json!({"alg": "none", "kid": TokenIssuer::KEY_ID}),
        serde_json::json!({"alg": "HS256", "kid": TokenIssuer::KEY_ID}),
        serde_json::json!({"alg": "RS256", "kid": TokenIssuer::KEY_ID}),
        serde_json::json!({"alg": "ES256", "kid": "other"}),
        serde_json::json!({"alg": "ES256", "kid": TokenIssuer::KEY_ID, "crit": ["x"]}),
        serde_json::json!({"alg": "ES256", "kid": TokenIssuer::KEY_ID, "crit": null}),
    ] {
        assert_eq!(
            refusal(try_with(&bearer(&issuer.token(&header, &good))).await),
            LoginError::Refused,
            "{header}"
        );
    }
    for (acts_as, is_taken) in [("ann", true), ("admin", false)] {
        let token = issuer.token(&header, &good);
        let message = format!("n,a={acts_as},\x01auth=Bearer {token}\x01\x01");
        let step = try_with(message.as_bytes()).await;
        assert_eq!(matches!(step, Ok(Step::Success(_))), is_taken, "acting as {acts_as}");
    }
    let stranger = bearer(&TokenIssuer::new().token(&header, &good));
    assert_eq!(refusal(try_with(&stranger).await), LoginError::Refused, "signed by another key");
    for malformed in
        [&b""[..], b"n,,\x01\x01", b"n,,\x01auth=Basic x\x01\x01", b"n,,\x01auth=Bearer a.b\x01\x01", b"\xff"]
    {
        assert!(matches!(refusal(try_with(malformed).await), LoginError::Malformed(_)));
    }
}

/// The iterations and the length of the salt that a name is asked for.
async fn shape(logins: &Logins, name: &str) -> (String, usize) {
    let mut exchange = logins.begin(Mechanism::ScramSha512, ANYONE);
    let asked = challenge(&mut exchange, &format!("n,,n={name},r=abc")).await;
    let parts: Vec<_> = asked.split(',').collect();
    (parts[2].to_owned(), STANDARD.decode(&parts[1][2..]).expect("base64").len())
}

#[tokio::test]
async fn unknown_names_are_asked_like_the_users_that_there_are() {
    let logins = logins();
    let mechanism = ScramMechanism::Sha512;
    let iterations = std::num::NonZeroU32::new(8_192).expect("not 0");
    for user in ["bob", "cid"] {
        let made_elsewhere = ScramCredential::from_password(mechanism, "pw", vec![1; 24], iterations);
        logins.0.users.set(user, made_elsewhere);
    }
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..64 {
        let name = format!("unknown-{number}");
        let asked = shape(&logins, &name).await;
        assert_eq!(asked, shape(&logins, &name).await, "the same each time");
        seen.insert(asked);
    }
    let expected = [shape(&logins, "ann").await, shape(&logins, "bob").await];
    assert_eq!(seen, expected.into_iter().collect());
}
