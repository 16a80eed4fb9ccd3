"""Any file of a lender as a stream of tables with the line of every row: text, packed text, spreadsheets, Parquet."""
