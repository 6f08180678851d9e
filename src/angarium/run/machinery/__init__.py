"""Parts of Momentum's own machinery which have no counterpart here, by what is said of them."""
