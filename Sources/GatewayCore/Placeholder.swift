enum PlaceholderGatewayCore {}
