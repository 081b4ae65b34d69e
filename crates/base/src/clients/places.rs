//! The share of one address in the places of all clients.

/// The most of `places` that one address may have: three quarters, so that no address takes all of them, whatever its
/// own limit says. Of one place it may have that one.
pub fn most_of_one_client(places: usize) -> usize {
    places.saturating_sub((places / 4).max(1)).max(places.min(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_takes_every_place() {
        let most: Vec<_> = [0, 1, 2, 3, 4, 100, 1_008].map(most_of_one_client).into();
        assert_eq!(most, [0, 1, 1, 2, 3, 75, 756]);
    }
}
