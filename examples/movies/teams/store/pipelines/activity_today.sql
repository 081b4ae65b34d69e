-- What today brought so far; days are those of UTC.
CREATE MATERIALIZED VIEW activity_today AS
  SELECT count(*) AS orders, coalesce(sum(total), 0) AS revenue
  FROM orders
  WHERE date_trunc('day', order_date) = date_trunc('day', now());
