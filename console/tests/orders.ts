// Orders of the movies project, as a test posts them.

export interface Item {
  ProductId: number;
  Quantity: number;
  UnitPrice: number;
}

/** An order placed `secondsAgo`; its total is what its items cost. */
export function order(items: Item[], secondsAgo = 0) {
  const total = items.reduce((sum, item) => sum + Math.round(item.Quantity * item.UnitPrice * 100), 0) / 100;
  return {
    Region: "Region1",
    OrderDate: new Date(Date.now() - secondsAgo * 1_000).toISOString(),
    FirstName: "Ada",
    LastName: "Lane",
    Address: "1 Quay Street",
    City: "Porthaven",
    State: "",
    PostalCode: "00067",
    Country: "Norland",
    Phone: "555-0100",
    SMSOptIn: false,
    SMSStatus: "",
    Email: "ada@example.com",
    ReceiptUrl: "",
    Total: total,
    PaymentTransactionId: "T1",
    HasBeenShipped: false,
    Details: items.map((item) => ({ Email: "ada@example.com", ...item })),
  };
}
