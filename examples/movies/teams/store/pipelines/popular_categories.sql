-- What each shelf sold and brought in.
CREATE MATERIALIZED VIEW popular_categories AS
  SELECT c.category_name AS category, sum(d.quantity) AS sold, sum(d.quantity * d.unit_price) AS revenue
  FROM orders, UNNEST(details) AS d
    JOIN products AS p ON p.item_id = d.product_id
    JOIN categories AS c ON c.category_id = p.category_id
  GROUP BY c.category_name
  ORDER BY sold DESC, category;
