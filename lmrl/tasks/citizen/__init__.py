"""The citizen of Guess My City, what is known of 100 cities and who asks. Begin with `citizen`."""
