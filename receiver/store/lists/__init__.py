"""Lists for those who ask: pages by key, bounded in what they scan, never counted whole."""
