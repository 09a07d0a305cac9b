"""What is written down, so that a kill at any point loses nothing and sends nothing twice."""
