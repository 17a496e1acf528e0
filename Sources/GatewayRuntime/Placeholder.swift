enum PlaceholderGatewayRuntime {}
