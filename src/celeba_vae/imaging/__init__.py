"""Images: where they come from, how they are cropped and resized, how they are put side by side."""
