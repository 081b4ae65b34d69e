// The pages of the navigation, in its order; the palette offers the same.
export const PAGES = [
  { to: "/", name: "Home", exact: true },
  { to: "/topics", name: "Topics", exact: false },
  { to: "/catalogue", name: "Catalogue", exact: false },
  { to: "/registry", name: "Schemas", exact: false },
  { to: "/groups", name: "Groups", exact: false },
  { to: "/views", name: "Views", exact: false },
  { to: "/dashboards", name: "Dashboards", exact: false },
  { to: "/sql", name: "SQL", exact: false },
  { to: "/pipelines", name: "Pipelines", exact: false },
  { to: "/access", name: "Access", exact: false },
] as const;
