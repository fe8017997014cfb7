"""What the policies of limits share: whom a counter is for, and how many tokens a call takes."""
