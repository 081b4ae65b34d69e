-- The clock is read whenever the view is: at the full hour it starts again from nothing, with or without new orders.
CREATE MATERIALIZED VIEW orders_this_hour AS
  SELECT count(*) AS orders
  FROM orders
  WHERE date_trunc('hour', order_date) = date_trunc('hour', now());
