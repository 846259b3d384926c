"""The OpenAI APIs: Chat Completions, legacy completions, Responses."""
