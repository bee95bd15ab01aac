"""The buyer of Car Dealer and who sells. Begin with `buyer`."""
