enum PlaceholderIPC {}
