"""Training on several devices, of one machine or more."""
