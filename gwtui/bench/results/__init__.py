"""What came back: results counted endpoint by endpoint, their latencies, rates, steadiness and objectives."""
