enum PlaceholderIPCProtocol {}
