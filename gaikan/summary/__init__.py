"""Several runs side by side: which variant does well on all data sets."""
