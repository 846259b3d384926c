"""Amazon Bedrock: its own API for every model, Converse, and Anthropic's as it passes it on."""
