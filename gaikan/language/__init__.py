"""What gaikan says to people, in each language that it speaks."""
