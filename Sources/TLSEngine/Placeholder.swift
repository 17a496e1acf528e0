enum PlaceholderTLSEngine {}
