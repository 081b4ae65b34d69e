-- The ten films that sold most, of all time.
CREATE MATERIALIZED VIEW top_movies AS
  SELECT d.product_id, p.product_name AS title, sum(d.quantity) AS sold
  FROM orders, UNNEST(details) AS d LEFT JOIN products AS p ON p.item_id = d.product_id
  GROUP BY d.product_id, p.product_name
  ORDER BY sold DESC, product_id
  LIMIT 10;
