//! Addresses of made-up customers. Cities exist; streets, numbers and people do not. Telephone numbers end in the 555-01xx
//! that North America keeps for fiction.

use crate::dice::Dice;

/// Part of the world: the first region is the first of these, the second the second, and so on round.
pub(crate) struct Place {
    cities: &'static [(&'static str, &'static str, &'static str, &'static str)],
    streets: &'static [&'static str],
    /// Whether the number stands before the street.
    is_number_first: bool,
}

/// City, state, country, and what its postal codes begin with; the rest are digits.
const AMERICA: &[(&str, &str, &str, &str)] = &[
    ("Seattle", "Washington", "United States", "981"),
    ("Portland", "Oregon", "United States", "972"),
    ("Sacramento", "California", "United States", "958"),
    ("Oakland", "California", "United States", "946"),
    ("Tucson", "Arizona", "United States", "857"),
    ("Boise", "Idaho", "United States", "837"),
    ("Denver", "Colorado", "United States", "802"),
    ("Santa Fe", "New Mexico", "United States", "875"),
    ("Omaha", "Nebraska", "United States", "681"),
    ("Austin", "Texas", "United States", "787"),
    ("Tulsa", "Oklahoma", "United States", "741"),
    ("Saint Paul", "Minnesota", "United States", "551"),
    ("Madison", "Wisconsin", "United States", "537"),
    ("Chicago", "Illinois", "United States", "606"),
    ("Memphis", "Tennessee", "United States", "381"),
    ("New Orleans", "Louisiana", "United States", "701"),
    ("Columbus", "Ohio", "United States", "432"),
    ("Savannah", "Georgia", "United States", "314"),
    ("Tampa", "Florida", "United States", "336"),
    ("Richmond", "Virginia", "United States", "232"),
    ("Pittsburgh", "Pennsylvania", "United States", "152"),
    ("Buffalo", "New York", "United States", "142"),
    ("Providence", "Rhode Island", "United States", "029"),
    ("Burlington", "Vermont", "United States", "054"),
];
const EUROPE: &[(&str, &str, &str, &str)] = &[
    ("Dublin", "Leinster", "Ireland", "D0"),
    ("Lisbon", "Lisbon", "Portugal", "11"),
    ("Valencia", "Valencia", "Spain", "460"),
    ("Lyon", "Auvergne-Rhône-Alpes", "France", "690"),
    ("Ghent", "East Flanders", "Belgium", "90"),
    ("Utrecht", "Utrecht", "Netherlands", "35"),
    ("Leipzig", "Saxony", "Germany", "041"),
    ("Bremen", "Bremen", "Germany", "281"),
    ("Graz", "Styria", "Austria", "80"),
    ("Basel", "Basel-Stadt", "Switzerland", "40"),
    ("Turin", "Piedmont", "Italy", "101"),
    ("Aarhus", "Central Jutland", "Denmark", "80"),
    ("Gothenburg", "Västra Götaland", "Sweden", "411"),
    ("Bergen", "Vestland", "Norway", "50"),
    ("Tampere", "Pirkanmaa", "Finland", "331"),
    ("Kraków", "Lesser Poland", "Poland", "30"),
];

const WORLD: [Place; 2] = [
    Place {
        cities: AMERICA,
        streets: &[
            "Juniper Street",
            "Harbor View Road",
            "Old Mill Lane",
            "Cedar Avenue",
            "Larkspur Drive",
            "Foundry Street",
            "Orchard Hill Road",
            "Prairie Avenue",
            "Lighthouse Way",
            "Canal Street",
            "Sycamore Court",
            "Quarry Road",
            "Whistler Boulevard",
            "Depot Street",
            "Marigold Lane",
            "Copper Beech Drive",
        ],
        is_number_first: true,
    },
    Place {
        cities: EUROPE,
        streets: &[
            "Linden Row",
            "Quay of the Weavers",
            "Saint Clare Street",
            "Castle Lane",
            "Tanners' Bank",
            "Market Passage",
            "Mill Race",
            "Garden of the Friars",
            "Old Customs Road",
            "Bell Founders' Lane",
            "Station Square",
            "Vineyard Steps",
            "Salt Merchants' Street",
            "Chapel Rise",
        ],
        is_number_first: false,
    },
];

/// An address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) street: String,
    pub(crate) city: &'static str,
    pub(crate) state: &'static str,
    pub(crate) postal_code: String,
    pub(crate) country: &'static str,
    pub(crate) phone: String,
}

impl Address {
    /// An address in the `region`-th part of the world.
    pub(crate) fn draw(region: usize, dice: &mut Dice) -> Self {
        let place = &WORLD[region % WORLD.len()];
        let (city, state, country, code) = *dice.one_of(place.cities);
        let (street, number) = (dice.one_of(place.streets), 1 + dice.below(240));
        let digits: String = (code.len()..5).map(|_| char::from(b'0' + dice.below(10) as u8)).collect();
        Self {
            street: match place.is_number_first {
                true => format!("{number} {street}"),
                false => format!("{street} {number}"),
            },
            city,
            state,
            postal_code: format!("{code}{digits}"),
            country,
            phone: format!(
                "+{} {} 555-01{:02}",
                dialling_code(country),
                201 + dice.below(750),
                dice.below(100)
            ),
        }
    }
}

fn dialling_code(country: &str) -> u32 {
    match country {
        "Ireland" => 353,
        "Portugal" => 351,
        "Spain" => 34,
        "France" => 33,
        "Belgium" => 32,
        "Netherlands" => 31,
        "Germany" => 49,
        "Austria" => 43,
        "Switzerland" => 41,
        "Italy" => 39,
        "Denmark" => 45,
        "Sweden" => 46,
        "Norway" => 47,
        "Finland" => 358,
        "Poland" => 48,
        _ => 1,
    }
}
