using ViralEngine.Core.Workflows;

namespace ViralEngine.Console.Workflows;

/// <summary>
/// Where the nodes of a workflow's graph stand, from the top down: each below all that lead to it, next to those that
/// it belongs to (after Sugiyama: layers by the longest path, then a few sweeps towards the middle of the neighbours).
/// </summary>
public sealed class GraphLayout
{
    private const double Between = 26;
    private const double Below = 42;
    private const double Margin = 8;
    private const int Sweeps = 8;

    private readonly List<List<Place>> layers = [];

    private GraphLayout(WorkflowGraph graph)
    {
        var places = graph.Nodes.ToDictionary(node => node.Id, node => new Place(node));
        Rank(graph, places);
        foreach (var place in places.Values)
            LayerOf(place.Rank).Add(place);
        Routes = [.. graph.Edges.Select(edge => new Route(edge, Through(places[edge.From], places[edge.To])))];
        foreach (var layer in layers)
            Put(layer, place => place.X);
        for (var i = 0; i < Sweeps; i++)
        {
            foreach (var layer in layers)
                Put(layer, place => Middle(place.Above, place.X));
            foreach (var layer in layers.AsEnumerable().Reverse())
                Put(layer, place => Middle(place.Under, place.X));
        }

        Nodes = [.. places.Values];
        Settle();
    }

    public IReadOnlyList<Place> Nodes { get; }

    public IReadOnlyList<Route> Routes { get; }

    public double Width { get; private set; }

    public double Height { get; private set; }

    public static GraphLayout Of(WorkflowGraph graph) => new(graph);

    /// <summary>
    /// Edges lead from nodes to later ones of the list, except to a join that was drawn after its branches.
    /// </summary>
    private static void Rank(WorkflowGraph graph, Dictionary<string, Place> places)
    {
        var from = graph.Edges.ToLookup(edge => edge.From, edge => places[edge.To]);
        var open = graph.Edges.CountBy(edge => edge.To).ToDictionary(count => count.Key, count => count.Value);
        var ready = new Queue<Place>(places.Values.Where(place => !open.ContainsKey(place.Node!.Id)));
        while (ready.TryDequeue(out var place))
        {
            foreach (var next in from[place.Node!.Id])
            {
                next.Rank = Math.Max(next.Rank, place.Rank + 1);
                if (--open[next.Node!.Id] == 0)
                    ready.Enqueue(next);
            }
        }
    }

    /// <summary>An edge over several layers keeps a place free in each of them.</summary>
    private List<Place> Through(Place from, Place to)
    {
        var stations = new List<Place> { from };
        for (var rank = from.Rank + 1; rank < to.Rank; rank++)
        {
            var station = new Place(null) { Rank = rank };
            LayerOf(rank).Add(station);
            stations.Add(station);
        }

        stations.Add(to);
        foreach (var (above, under) in stations.Zip(stations.Skip(1)))
        {
            above.Under.Add(under);
            under.Above.Add(above);
        }

        return stations;
    }

    private List<Place> LayerOf(int rank)
    {
        while (layers.Count <= rank)
            layers.Add([]);
        return layers[rank];
    }

    /// <summary>
    /// Puts a layer's nodes in the order of where they would like to be, as near to it as their widths allow.
    /// </summary>
    private static void Put(List<Place> layer, Func<Place, double> wish)
    {
        var wishes = layer.Select(place => (Place: place, X: wish(place))).OrderBy(each => each.X).ToList();
        var right = double.NegativeInfinity;
        foreach (var (place, x) in wishes)
        {
            place.X = Math.Max(x, right + Between + (place.Width / 2));
            right = place.X + (place.Width / 2);
        }

        var off = wishes.Average(each => each.X - each.Place.X);
        foreach (var place in layer)
            place.X += off;
    }

    private static double Middle(List<Place> neighbours, double otherwise) =>
        neighbours.Count == 0 ? otherwise : neighbours.Average(neighbour => neighbour.X);

    private void Settle()
    {
        var left = layers.SelectMany(layer => layer).Min(place => place.X - (place.Width / 2));
        var y = Margin;
        foreach (var layer in layers)
        {
            var height = layer.Max(place => place.Height);
            foreach (var place in layer)
            {
                place.X += Margin - left;
                place.Y = y + (height / 2);
            }

            y += height + Below;
        }

        Width = layers.SelectMany(layer => layer).Max(place => place.X + (place.Width / 2)) + Margin;
        Height = y - Below + Margin;
    }
}

/// <summary>A node and the middle of where it stands; or, without one, where an edge passes.</summary>
public sealed class Place(GraphNode? node)
{
    public GraphNode? Node { get; } = node;

    public double X { get; internal set; }

    public double Y { get; internal set; }

    public double Width { get; } = node?.Type switch
    {
        null => 20,
        "start" or "end" => 76,
        "join" => 60,
        _ => 184,
    };

    public double Height { get; } = node?.Type is "start" or "end" or "join" or null ? 26 : 48;

    internal int Rank { get; set; }

    internal List<Place> Above { get; } = [];

    internal List<Place> Under { get; } = [];
}

/// <param name="Stations">From the node that it leaves to the one that it leads to.</param>
public sealed record Route(GraphEdge Edge, IReadOnlyList<Place> Stations);
