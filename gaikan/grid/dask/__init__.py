"""The grid on a Dask cluster; needs `distributed` (`pip install 'gaikan[dask]'`)."""
