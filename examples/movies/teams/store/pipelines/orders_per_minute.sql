-- Minutes are those in which orders were placed, not those in which they arrived; a late order still counts.
CREATE MATERIALIZED VIEW orders_per_minute AS
  SELECT window_start, count(*) AS orders, sum(total) AS revenue
  FROM TUMBLE(orders, order_date, INTERVAL '1 minute')
  GROUP BY window_start
  ORDER BY window_start;
